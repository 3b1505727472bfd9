using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Servers;

/// <summary>The Api as a shop uses it, over plain HTTP.</summary>
/// <param name="key">Where the Api has keys.</param>
public sealed class ShopClient(string url, TimeSpan? patience = null, string? key = null) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(url), Timeout = patience ?? TimeSpan.FromSeconds(100), DefaultRequestHeaders = { Authorization = key is null ? null : new("Bearer", key) } };

    public string Url => url;

    public async Task PutItemsAsync(IEnumerable<object> items, CancellationToken cancellationToken) => await PostAllAsync("/v1/items", "items", items, cancellationToken);

    public async Task PutEventsAsync(IEnumerable<object> events, CancellationToken cancellationToken) => await PostAllAsync("/v1/events", "events", events, cancellationToken);

    public async Task DeleteItemAsync(string id, CancellationToken cancellationToken) => (await _http.DeleteAsync($"/v1/items/{Uri.EscapeDataString(id)}", cancellationToken)).EnsureSuccessStatusCode();

    public async Task ForgetUserAsync(string id, CancellationToken cancellationToken) => (await _http.DeleteAsync($"/v1/users/{Uri.EscapeDataString(id)}", cancellationToken)).EnsureSuccessStatusCode();

    public async Task<Guid> TrainAsync(string tempo, string? policy, CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsJsonAsync("/v1/trainings", new { tempo, policy }, cancellationToken);
        return (await ReadAsync(answer, cancellationToken))["training_id"]!.GetValue<Guid>();
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public Task<JsonNode> PostAsync(string path, object body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body, cancellationToken);

    /// <summary>Until the training has ended.</summary>
    public async Task<JsonNode> TrainedAsync(Guid training, CancellationToken cancellationToken)
    {
        JsonNode? last = null;
        await ChildProcess.UntilAsync(async () => (string)(last = await GetAsync($"/v1/trainings/{training}", cancellationToken))["state"]! is not ("queued" or "running"), $"training {training} to end; {last}", cancellationToken);
        return last!;
    }

    /// <summary>Until all that was sent has landed and is findable. The Api looks once a second, so the first answer may be about the time before; the next one is not.</summary>
    public Task SettledAsync(CancellationToken cancellationToken)
    {
        JsonNode? last = null;
        string? first = null;
        return ChildProcess.UntilAsync(async () =>
        {
            try
            {
                last = await GetAsync("/v1/pipeline", cancellationToken);
            }
            catch (HttpRequestException away) when (away.StatusCode is null or >= System.Net.HttpStatusCode.InternalServerError)
            {
                return false; // it is being started anew
            }
            string at = last["at"]!.ToString();
            first ??= at;
            return at != first && last["ingest"]?["lag"]?.GetValue<long>() == 0 && last["indexer"]?["lag"]?.GetValue<long>() == 0 && last["index"]?["collection"] is not null;
        }, $"everything to land; {last}", cancellationToken);
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await _http.SendAsync(request, cancellationToken);
        return await ReadAsync(answer, cancellationToken);
    }

    private async Task PostAllAsync(string path, string what, IEnumerable<object> all, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { [what] = all }));
        body.Headers.ContentType = new("application/json");
        using var answer = await _http.PostAsync(path, body, cancellationToken);
        JsonNode verdicts = await ReadAsync(answer, cancellationToken);
        if (verdicts["refused"]?.GetValue<int>() is > 0) throw new InvalidOperationException($"{path} refused some: {verdicts.ToJsonString()[..Math.Min(500, verdicts.ToJsonString().Length)]}");
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string text = await answer.Content.ReadAsStringAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} answered {(int)answer.StatusCode}: {text}", null, answer.StatusCode);
        return JsonNode.Parse(text) ?? throw new JsonException($"{answer.RequestMessage!.RequestUri} answered nothing.");
    }

    public void Dispose() => _http.Dispose();
}
