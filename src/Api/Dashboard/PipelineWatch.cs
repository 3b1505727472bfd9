using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Looks at the whole pipeline when somebody asks, at most once a second however many ask: nothing runs while nobody looks. What it sees is what the Api may see of the stores.
/// </summary>
internal sealed class PipelineWatch(
    IEventLog log, IVectorIndex index, IModelStore models, ITrainingRecords trainings, ServingPairs pairs, RequestMeter requests, ItemFreshness freshness, PipelineNews news, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(5);
    private static readonly string[] EventTopics = [Topics.Interactions, Topics.Items];

    private readonly SemaphoreSlim _looking = new(1);
    private readonly RecentRates _rates = new(time);
    private (PipelineAnswer Answer, long Taken)? _last;

    public async Task<PipelineAnswer> LookAsync(CancellationToken cancellationToken)
    {
        await _looking.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && time.GetElapsedTime(last.Taken) < Fresh) return last.Answer;
            PipelineAnswer answer = await LookAnewAsync();
            _last = (answer, time.GetTimestamp());
            return answer;
        }
        finally
        {
            _looking.Release();
        }
    }

    private async Task<PipelineAnswer> LookAnewAsync()
    {
        var unreachable = new List<string>();

        async Task<T?> AskAsync<T>(string what, Func<CancellationToken, Task<T>> ask) where T : class
        {
            // Others wait for the same look: who goes away does not end it.
            using var limit = new CancellationTokenSource(Patience, time);
            try
            {
                return await ask(limit.Token);
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or OperationCanceledException or UnauthorizedAccessException)
            {
                lock (unreachable) unreachable.Add(failure is OperationCanceledException ? $"{what} did not answer within {Patience.TotalSeconds:0} s." : $"{what} cannot be read: {failure.Message}");
                return null;
            }
        }

        var topics = AskAsync("The event log", LogAsync);
        var ingest = AskAsync("The position of Ingest", token => ReaderAsync(ReaderGroups.Ingest, EventTopics, token));
        var trainer = AskAsync("The model store", _ => Task.FromResult(Trainer()));
        var indexer = AskAsync("The position of the Indexer", IndexerAsync);
        var indexed = AskAsync("The index", IndexAsync);
        await Task.WhenAll(topics, ingest, trainer, indexer, indexed);
        return new PipelineAnswer(time.GetUtcNow(), $"{Environment.MachineName}/{Environment.ProcessId}", await topics, await ingest, await trainer, await indexer, await indexed,
            RequestsDescription.Of(requests), [.. unreachable.Order(StringComparer.Ordinal)], pairs.Identity);
    }

    private async Task<IReadOnlyList<TopicDescription>> LogAsync(CancellationToken cancellationToken)
    {
        var topics = new List<TopicDescription>();
        foreach (string topic in (string[])[.. EventTopics, Topics.DeadLetters])
        {
            int partitions = await log.PartitionsAsync(topic, cancellationToken);
            long appended = 0, gone = 0;
            for (int partition = 0; partition < partitions; partition++)
            {
                gone += await log.BeginOffsetAsync(topic, partition, cancellationToken);
                appended += await log.EndOffsetAsync(topic, partition, cancellationToken);
            }
            topics.Add(new TopicDescription(topic, partitions, appended, appended - gone, _rates.Of(topic, appended)));
        }
        return topics;
    }

    private async Task<ReaderDescription> ReaderAsync(string group, IReadOnlyList<string> topics, CancellationToken cancellationToken)
    {
        long done = 0, lag = 0;
        foreach (string topic in topics)
        {
            int partitions = await log.PartitionsAsync(topic, cancellationToken);
            for (int partition = 0; partition < partitions; partition++)
            {
                // Asked before the end: the lag is never negative. What retention removed needs no reader any more.
                long committed = Math.Max(await log.CommittedAsync(topic, group, partition, cancellationToken), await log.BeginOffsetAsync(topic, partition, cancellationToken));
                done += committed;
                lag += Math.Max(0, await log.EndOffsetAsync(topic, partition, cancellationToken) - committed);
            }
        }
        return new ReaderDescription(done, lag, _rates.Of(group, done));
    }

    private TrainerDescription Trainer()
    {
        var running = news.Training is { } heard && trainings.Find(heard.TrainingId) is { Ended: false } record
            ? TrainingDescription.Of(record with { Phase = heard.Phase, Fraction = heard.Fraction, Loss = heard.Loss ?? record.Loss, EtaSeconds = heard.EtaSeconds, ItemsPerSecond = heard.ItemsPerSecond })
            : null;
        return new TrainerDescription(models.Live?.Value, models.Previous?.Value, models.List().Count, models.Refusals().Count, running);
    }

    private async Task<IndexerDescription> IndexerAsync(CancellationToken cancellationToken)
    {
        var reader = await ReaderAsync(ReaderGroups.Indexer, [Topics.Items], cancellationToken);
        var building = news.Reindex is { } told && told.Version != pairs.Identity?.Version ? new ReindexDescription(told.Version.Value, told.Collection, told.Done, told.Total) : null;
        return new IndexerDescription(reader.Done, reader.Lag, reader.PerSecond, freshness.Read(), building);
    }

    private async Task<IndexDescription> IndexAsync(CancellationToken cancellationToken)
    {
        var collections = await index.ListAsync(cancellationToken);
        string? serving = (await index.ResolveAliasAsync(PairKeeping.Alias, cancellationToken))?.Collection;
        long? items = serving is null || collections.All(one => one.Name != serving) ? null : await index.CountAsync(serving, ItemFilter.None, cancellationToken);
        return new IndexDescription(serving, items, [.. collections.Select(one => new CollectionDescription(one.Name, one.Version.Value, one.Fingerprint.Value, one.Dimension))]);
    }

    public void Dispose() => _looking.Dispose();
}
