namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Asks a service of this machine whether it works: for containers, which have no other program to ask with.</summary>
public static class Health
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <returns>0: it works; 1: it does not, or does not answer in time.</returns>
    public static async Task<int> AskAsync(string urls, TextWriter output, CancellationToken cancellationToken)
    {
        string url = urls.Split(';', StringSplitOptions.TrimEntries)[0].Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal).Replace("//[::]", "//[::1]", StringComparison.Ordinal)
            .Replace("//+", "//127.0.0.1", StringComparison.Ordinal).Replace("//*", "//127.0.0.1", StringComparison.Ordinal);
        using var client = new HttpClient { Timeout = s_patience };
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(new Uri(url), "/healthz"), cancellationToken);
            await output.WriteLineAsync(await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            await output.WriteLineAsync($"{url} does not answer: {failure.Message}");
            return 1;
        }
    }
}
