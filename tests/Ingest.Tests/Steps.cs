using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>The parts of ingest, each telling of the steps that it takes.</summary>
internal static class Steps
{
    public static void Wrap(IServiceCollection services, Action<string> step)
    {
        Replace<IEventLog>(services, inner => new Log(inner, step));
        Replace<IProfiles>(services, inner => new SteppedProfiles(inner, step));
        Replace<IWindowStore>(services, inner => new Store(inner, step));
    }

    private static void Replace<T>(IServiceCollection services, Func<T, T> wrap) where T : class
    {
        var known = services.Last(service => service.ServiceType == typeof(T));
        services.Remove(known);
        services.AddSingleton(provider => wrap((T)known.ImplementationFactory!(provider)));
    }

    private sealed class Log(IEventLog inner, Action<string> step) : IEventLog
    {
        public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => inner.PartitionsAsync(topic, cancellationToken);
        public ValueTask<IReadOnlyList<LogPosition>> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken) => inner.AppendAsync(topic, records, cancellationToken);
        public ValueTask<long> BeginOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => inner.BeginOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> EndOffsetAsync(string topic, int partition, CancellationToken cancellationToken) => inner.EndOffsetAsync(topic, partition, cancellationToken);
        public ValueTask<long> CommittedAsync(string topic, string group, int partition, CancellationToken cancellationToken) => inner.CommittedAsync(topic, group, partition, cancellationToken);

        public async ValueTask<long?> EraseAsync(string topic, Func<LogMessage, bool> which, CancellationToken cancellationToken)
        {
            step(KillStep.BeforeErasing(topic));
            long? erased = await inner.EraseAsync(topic, which, cancellationToken);
            step(KillStep.AfterErasing(topic));
            return erased;
        }

        public ILogSubscription Subscribe(string topic, string group, Func<int, long> startAt, PartitionSharing sharing) => new Subscription(inner.Subscribe(topic, group, startAt, sharing), step);
    }

    private sealed class Subscription(ILogSubscription inner, Action<string> step) : ILogSubscription
    {
        public ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken) => inner.ReadAsync(max, cancellationToken);

        public async ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
        {
            step(KillStep.BeforeCommit);
            await inner.CommitAsync(partition, nextOffset, cancellationToken);
            step(KillStep.AfterCommit);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class SteppedProfiles(IProfiles inner, Action<string> step) : IProfiles
    {
        public long NextOffset(int partition) => inner.NextOffset(partition);

        public async ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
        {
            step(KillStep.BeforeProfiles);
            await inner.ApplyAsync(partition, nextOffset, changes, cancellationToken);
            step(KillStep.AfterProfiles);
        }

        public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => inner.GetAsync(user, cancellationToken);
        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }

    private sealed class Store(IWindowStore inner, Action<string> step) : IWindowStore
    {
        public bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows)
        {
            step(KillStep.BeforeWrite);
            bool written = inner.TryWriteInteractions(partition, first, last, rows);
            step(KillStep.AfterCreate);
            return written;
        }

        public void Erase(UserId user, long atMs)
        {
            step(KillStep.BeforeErasure);
            inner.Erase(user, atMs);
            step(KillStep.AfterErasure);
        }

        public long? FirstCovered(string topic, int partition, long from) => inner.FirstCovered(topic, partition, from);
        public long NextOffset(string topic, int partition) => inner.NextOffset(topic, partition);
        public IReadOnlyDictionary<int, long> NextOffsets(string topic) => inner.NextOffsets(topic);
        public bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows) => inner.TryWriteItems(partition, first, last, rows);
        public InteractionWindow Read(WindowQuery query) => inner.Read(query);
        public IReadOnlyList<StoredItem> ReadCatalogue() => inner.ReadCatalogue();
        public IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf) => inner.ReadCatalogue(asOf);
        public void ScanCatalogue(IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take) => inner.ScanCatalogue(asOf, descriptions, take);
        public bool IsErased(UserId user, long timestampMs) => inner.IsErased(user, timestampMs);
        public IReadOnlyList<Erasure> Erasures() => inner.Erasures();
        public IReadOnlyList<string> FindUser(UserId user) => inner.FindUser(user);
        public WindowSummary Describe() => inner.Describe();
        public IReadOnlySet<string> EventIds(string prefix) => inner.EventIds(prefix);
    }
}
