using System.Text.Json;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>How far a replay came and what it measured up to there; written at barriers, when every interaction before is durable in the WindowStore.</summary>
internal sealed record ReplayCheckpoint
{
    /// <summary>Identity of data set and options: a checkpoint of another run is not continued.</summary>
    public required string Run { get; init; }
    /// <summary>Interactions measured, in event-time order.</summary>
    public int Position { get; set; }
    /// <summary>The barrier at <see cref="Position"/> still wants its training.</summary>
    public bool TrainingDue { get; set; }
    public int UnknownItems { get; set; }
    /// <summary>What the reader of the report must know; null: nothing.</summary>
    public string? Note { get; set; }
    public double Seconds { get; set; }
    public double PeakMemoryMb { get; set; }
    public List<ReplayedModel> Models { get; init; } = [];
    /// <summary>By ranking, then by period.</summary>
    public Dictionary<string, SortedDictionary<int, PeriodMeasures>> Measures { get; init; } = [];

    public PeriodMeasures Of(string ranking, int period)
    {
        if (!Measures.TryGetValue(ranking, out SortedDictionary<int, PeriodMeasures>? periods)) Measures[ranking] = periods = [];
        if (!periods.TryGetValue(period, out PeriodMeasures? measures)) periods[period] = measures = new PeriodMeasures();
        return measures;
    }

    /// <returns>A new checkpoint when there is none of this run.</returns>
    public static ReplayCheckpoint Load(string file, string run)
    {
        if (!File.Exists(file)) return new ReplayCheckpoint { Run = run };
        try
        {
            using FileStream stream = File.OpenRead(file);
            ReplayCheckpoint? found = JsonSerializer.Deserialize<ReplayCheckpoint>(stream);
            return found?.Run == run ? found : new ReplayCheckpoint { Run = run };
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not a checkpoint of a replay; delete it to measure this data set from its beginning (what has landed stays).", e);
        }
    }

    /// <summary>Durable, and the old one or the new one at every moment.</summary>
    public void Save(string file) => DurableFiles.Rewrite(file, stream => JsonSerializer.Serialize(stream, this));
}
