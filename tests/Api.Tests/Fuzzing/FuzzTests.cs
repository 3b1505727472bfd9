using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace BeeFormer.Streaming.Api.Tests.Fuzzing;

/// <summary>Whatever is sent, the answer is a success that gives ids back unchanged, or a problem that the client can understand; never a failure of ours.</summary>
public sealed class FuzzTests
{
    private const int Clients = 4;

    [Fact]
    public Task Thousands_of_hostile_requests_break_nothing() => RunAsync(requests: 10_000, seed: 1);

    /// <summary><c>BEEFORMER_FUZZ_SEED</c> repeats a run.</summary>
    [Fact(Explicit = true)]
    public Task A_hundred_thousand_hostile_requests_break_nothing() =>
        RunAsync(requests: 120_000, int.TryParse(Environment.GetEnvironmentVariable("BEEFORMER_FUZZ_SEED"), CultureInfo.InvariantCulture, out int seed) ? seed : Environment.TickCount);

    private static async Task RunAsync(int requests, int seed)
    {
        await using var api = await RankingTests.ShopAsync();
        foreach (string id in HostileRequests.Ids) await api.IndexAsync(id, "red lamp " + id.Length.ToString(CultureInfo.InvariantCulture), revision: 1);
        await api.ServeAsync('b'); // so that there are two models to compare
        var document = JsonElement.Parse(await api.Client.GetStringAsync("/openapi/v1.json", ApiUnderTest.Token));
        var failures = new ConcurrentQueue<string>();
        var reached = new ConcurrentDictionary<(string Operation, bool Success), int>();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var hostile = new HostileRequests(document, seed * Clients + client);
            for (int n = 0; n < requests / Clients && failures.Count < 10; n++)
            {
                var request = hostile.Next();
                using var response = await SendAsync(api, request);
                string body = await response.Content.ReadAsStringAsync(ApiUnderTest.Token);
                reached.AddOrUpdate((request.Operation, response.IsSuccessStatusCode), 1, (_, count) => count + 1);
                if (Problem(request, response, body) is { } problem) failures.Enqueue($"{problem}\n  request {request}\n  answer {(int)response.StatusCode} {(body.Length > 600 ? body[..600] : body)}");
            }
        }, ApiUnderTest.Token)));
        Assert.True(failures.IsEmpty, $"seed {seed}\n{string.Join('\n', failures)}");
        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync("/v1/search", new { text = "red lamp" })).Status);
        // The requests are hostile, but not so much that none of a kind gets through, or that none is refused.
        string[] needNotSucceed = ["VerifyErasure", "ShowDeadLetter", "ImportModel", "CancelTraining", "ShowTraining", "StartTraining", "ActivateModel", "ExportModel", "ShowModel", "CompareModels"];
        foreach (string operation in new HostileRequests(document, seed).Operations.Except(needNotSucceed))
            Assert.True(reached.ContainsKey((operation, true)), $"{operation} never succeeded");
        Assert.True(reached.Where(kind => !kind.Key.Success).Sum(kind => kind.Value) > requests / 10);
    }

    /// <returns>Null: all is well.</returns>
    private static string? Problem(HostileRequest request, HttpResponseMessage response, string body)
    {
        int status = (int)response.StatusCode;
        if (status >= 500 && !(request.Operation == "VerifyErasure" && status == 501)) return "a failure of the server";
        foreach (string trace in new[] { "   at ", "System.", "Microsoft.", "BeeFormer.Streaming.", "Exception" })
            if (body.Contains(trace, StringComparison.Ordinal) && !request.Target.StartsWith("/openapi", StringComparison.Ordinal)) return $"the answer shows the inside: {trace}";
        if (request.Operation == "ExportModel" && response.IsSuccessStatusCode) return null;
        JsonElement answer;
        try
        {
            // The server itself refuses what is no HTTP, or has too long a request line, with an empty body.
            answer = status is 400 or 414 && body.Length == 0 ? default : JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return "the answer is no JSON";
        }
        if (status >= 400)
        {
            if (body.Length == 0) return request.Target.Contains("%00", StringComparison.Ordinal) || request.Target.Contains("%zz", StringComparison.Ordinal) || status == 414 && request.Target.Length > 16_000 ? null : "an empty refusal";
            if (response.Content.Headers.ContentType?.MediaType != "application/problem+json") return "a refusal that is no problem details";
            foreach (string member in new[] { "type", "title", "code", "trace_id" })
                if (!answer.TryGetProperty(member, out var text) || string.IsNullOrEmpty(text.GetString())) return $"a problem without {member}";
            return body.Length > 20_000 && !answer.TryGetProperty("verdicts", out _) ? "a problem as large as a body" : null;
        }
        foreach (string member in new[] { "item_id", "user_id" })
            if (request.Id is not null && answer.TryGetProperty(member, out var id) && id.GetString() != request.Id) return $"{member} came back as {id}";
        if (answer.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array)
            foreach (var item in items.EnumerateArray())
                if (!HostileRequests.Ids.Contains(item.GetProperty("item_id").GetString())) return $"an item that nobody has put there: {item}";
        return null;
    }

    private static async Task<HttpResponseMessage> SendAsync(ApiUnderTest api, HostileRequest request)
    {
        // The path goes out as it is written.
        var target = new Uri(api.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + request.Target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var message = new HttpRequestMessage(request.Method, target);
        if (request.Body is not null)
        {
            message.Content = new ByteArrayContent(request.Body);
            if (request.ContentType is not null) message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
            if (request.ContentEncoding is not null) message.Content.Headers.TryAddWithoutValidation("Content-Encoding", request.ContentEncoding);
        }
        return await api.Client.SendAsync(message, ApiUnderTest.Token);
    }
}
