using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Chaos;

/// <summary>What became of the questions to the Apis: which failed, for how long in a row, and whether any answer came from two models.</summary>
/// <param name="log">File that tells of each that failed.</param>
internal sealed class Questions(string log)
{
    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<(TimeSpan From, TimeSpan To)> _outages = [];
    private TimeSpan? _unanswered;

    public long Answered { get; private set; }
    public long Failed { get; private set; }
    /// <summary>Items found by their whole title, whose score says that query and index are of one model.</summary>
    public long FoundByTitle { get; private set; }
    public HashSet<string> Models { get; } = [];
    public List<string> Mixed { get; } = [];
    public TimeSpan Now => _clock.Elapsed;

    /// <summary>Stretches in which no question at all was answered: from the asking of the first that failed to the next answer.</summary>
    public IReadOnlyList<(TimeSpan From, TimeSpan To)> Outages
    {
        get { lock (_lock) return _unanswered is { } open ? [.. _outages, (open, Now)] : [.. _outages]; }
    }

    /// <param name="title">Of a search for exactly what an item is called: if the item is found, query and index of one model give the highest score that there is.</param>
    /// <returns>False: it failed.</returns>
    public async Task<bool> AskAsync(Func<Task<JsonNode>> ask, string? title, CancellationToken stop)
    {
        TimeSpan begun = Now;
        try
        {
            JsonNode answer = await ask();
            Note(answer, title);
            return true;
        }
        catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.NotFound)
        {
            lock (_lock) Succeeded(); // the product is deleted
            return true;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            if (stop.IsCancellationRequested) return true;
            lock (_lock)
            {
                Failed++;
                _unanswered ??= begun;
                File.AppendAllText(log, $"{Now:mm\\:ss\\.f} asked {begun:mm\\:ss\\.f}: {failure.Message.ReplaceLineEndings(" ")}\n");
            }
            return false;
        }
    }

    private void Note(JsonNode answer, string? title)
    {
        lock (_lock)
        {
            Succeeded();
            string? model = (string?)answer["model_version"], fingerprint = (string?)answer["fingerprint"];
            if (model is null || fingerprint is null || !model.EndsWith(fingerprint[..8], StringComparison.Ordinal))
            {
                Mixed.Add($"model {model} with fingerprint {fingerprint}");
                return;
            }
            Models.Add(model);
            if (title is null || answer["items"]!.AsArray().FirstOrDefault(item => (string?)item!["title"] == title) is not { } found) return;
            FoundByTitle++;
            if (found["score"]!.GetValue<double>() < 0.999) Mixed.Add($"\"{title}\" is found with {found["score"]} by model {model}");
        }
    }

    private void Succeeded()
    {
        Answered++;
        if (_unanswered is not { } from) return;
        _outages.Add((from, Now));
        _unanswered = null;
    }
}
