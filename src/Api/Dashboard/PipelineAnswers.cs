namespace BeeFormer.Streaming.Api;

/// <summary>The pipeline at one moment, stage by stage as the data flows. A stage that could not be asked is null, and <paramref name="Unreachable"/> says why.</summary>
/// <param name="At">When it was looked at; at most a second ago.</param>
/// <param name="Instance">The process that answers: <paramref name="Api"/> is its own.</param>
internal sealed record PipelineAnswer(
    DateTimeOffset At, string Instance, IReadOnlyList<TopicDescription>? Log, ReaderDescription? Ingest, TrainerDescription? Trainer, IndexerDescription? Indexer, IndexDescription? Index, RequestsDescription Api,
    IReadOnlyList<string> Unreachable, ServedBy? By) : Answer(By);

/// <param name="Appended">Messages ever appended.</param>
/// <param name="Kept">Of these, the ones that retention has left.</param>
/// <param name="PerSecond">Appended in the last minute, since somebody looks; null: this is the first look.</param>
internal sealed record TopicDescription(string Topic, int Partitions, long Appended, long Kept, double? PerSecond);

/// <param name="Done">Messages that have landed.</param>
/// <param name="Lag">Messages in the log that have not.</param>
internal sealed record ReaderDescription(long Done, long Lag, double? PerSecond);

/// <param name="Live">The version that the model store names.</param>
/// <param name="Current">The training that runs; null: none, as far as is known here.</param>
internal sealed record TrainerDescription(string? Live, string? Previous, int Models, int Refusals, TrainingDescription? Current);

/// <param name="Done">Item events that are findable.</param>
/// <param name="Lag">Item events in the log that are not.</param>
internal sealed record IndexerDescription(long Done, long Lag, double? PerSecond, FreshnessSummary Freshness, ReindexDescription? Reindex);

/// <param name="Done">Items in the collection that is being built.</param>
internal sealed record ReindexDescription(string Version, string Collection, long Done, long Total);

/// <param name="Collection">Answers come from it; null: none yet.</param>
/// <param name="Items">In that collection, hidden ones included.</param>
internal sealed record IndexDescription(string? Collection, long? Items, IReadOnlyList<CollectionDescription> Collections);

internal sealed record CollectionDescription(string Name, string Version, string Fingerprint, int Dimension);

internal sealed record RequestsDescription(double PerSecond, double FailedPerSecond, double? P50Ms, double? P95Ms, double? P99Ms, IReadOnlyList<RouteDescription> Routes)
{
    public static RequestsDescription Of(RequestMeter meter)
    {
        var (perSecond, failed, p50, p95, p99) = meter.All;
        return new RequestsDescription(perSecond, failed, p50, p95, p99, [.. meter.Routes.Select(route => new RouteDescription(route.Route, route.Latency.PerSecond, route.Latency.P50Ms!.Value, route.Latency.P99Ms!.Value))]);
    }
}

internal sealed record RouteDescription(string Route, double PerSecond, double P50Ms, double P99Ms);
