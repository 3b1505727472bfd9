using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>The HTTP API of a running server. A refusal is an exception whose message is the server's own sentence.</summary>
internal sealed class ServerClient(Uri server) : IDisposable
{
    private static readonly JsonSerializerOptions SnakeCase = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Patient: an import is checked while the client waits.</summary>
    private readonly HttpClient client = new() { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Where the server wants a key.</summary>
    public const string KeyVariable = "BEEFORMER_API_KEY";

    public string Name => $"Server {server.GetLeftPart(UriPartial.Authority)}";

    public static HttpContent Json<T>(T body) => JsonContent.Create(body, options: SnakeCase);

    public async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AskAsync(method, path, content, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(SnakeCase, cancellationToken) ?? throw new JsonException("null");
        }
        catch (JsonException unexpected)
        {
            throw new IOException($"{Name} answered {path} with something else than expected; is another version of this program running?", unexpected);
        }
    }

    public async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException failure)
        {
            throw new IOException($"{Name} works on this data folder and does not answer: {failure.Message.TrimEnd('.')}.", failure);
        }
        if (response.IsSuccessStatusCode) return response;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            using (response) throw new RefusedException($"{Name} wants an API key; expected one with the scope admin in the environment variable {KeyVariable}.");
        using (response) throw new RefusedException(await DetailAsync(response, cancellationToken) ?? $"{Name} answered {path} with status {(int)response.StatusCode}.");
    }

    public void Dispose() => client.Dispose();

    private sealed record Problem(string? Detail);

    private static async Task<string?> DetailAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return (await response.Content.ReadFromJsonAsync<Problem>(SnakeCase, cancellationToken))?.Detail;
        }
        catch (JsonException)
        {
            return null; // no problem details: something else answered
        }
    }
}
