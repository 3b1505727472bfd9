using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Standalone.Erasure;

/// <summary>Looks for a user in every store by what the store knows, and in every file of the data folder by the id's bytes.</summary>
internal sealed class ErasureSearch(IEventLog log, IWindowStore windows, IProfiles profiles, IModelStore models, EventClock clock, string root) : IErasureSearch
{
    private const string EventLog = "event log", DeadLetters = "dead letters";

    public async Task<ErasureReport> FindAsync(UserId user, CancellationToken cancellationToken)
    {
        LogTraces traces = await LogTraces.FindAsync(log, user, clock.AllowedError, cancellationToken);
        List<SearchedStore> stores =
        [
            Log(traces, Topics.Interactions, EventLog, "topic interactions: messages under the user's key, unreadable ones that name the user"),
            Log(traces, Topics.DeadLetters, DeadLetters, "topic dead-letters: letters about such messages"),
            await Task.Run(() => new SearchedStore("window store", "rows of every segment, also of copies and files that are not read any more", windows.FindUser(user), []), cancellationToken),
            await ProfileAsync(user, cancellationToken),
            Models(),
            await Task.Run(() => Files(user, cancellationToken), cancellationToken),
        ];
        var holding = stores.Where(store => store.Found.Count > 0).ToList();
        if (holding.Count == 0) return new ErasureReport(user.Value, true, "erased", null, stores);
        if (traces.AppendOnly && holding.TrueForAll(store => store.Store is EventLog or DeadLetters) && await GoneByAsync(traces, cancellationToken) is { } until)
            return new ErasureReport(user.Value, false, string.Create(CultureInfo.InvariantCulture, $"until {until:yyyy-MM-dd HH:mm:ss'Z'}: by then the log, which only appends, will have dropped the last message by its retention"), until, stores);
        return new ErasureReport(user.Value, false, $"not yet: {string.Join(", ", holding.Select(store => store.Store))} {(holding.Count == 1 ? "holds" : "hold")} something of the user", null, stores);
    }

    private static SearchedStore Log(LogTraces traces, string topic, string name, string searched) => new(name, searched,
        [.. traces.Found.Where(trace => trace.Topic == topic).Select(trace => string.Create(CultureInfo.InvariantCulture,
            $"{topic}/{trace.Partition}: {trace.Messages:N0} {(trace.Messages == 1 ? "message" : "messages")}, the newest of {DateTimeOffset.FromUnixTimeMilliseconds(trace.NewestMs):yyyy-MM-dd HH:mm:ss'Z'}"))],
        traces.AppendOnly ? ["this log only appends: messages stay until retention or compaction removes them"] : []);

    // Null: a topic keeps its messages for ever, or nobody knows for how long.
    private async Task<DateTimeOffset?> GoneByAsync(LogTraces traces, CancellationToken cancellationToken)
    {
        DateTimeOffset last = DateTimeOffset.MinValue;
        foreach (LogTrace trace in traces.Found)
        {
            if (await log.RetentionAsync(trace.Topic, cancellationToken) is not { } retention) return null;
            DateTimeOffset gone = DateTimeOffset.FromUnixTimeMilliseconds(trace.NewestMs) + retention;
            if (gone > last) last = gone;
        }
        return last;
    }

    private async Task<SearchedStore> ProfileAsync(UserId user, CancellationToken cancellationToken)
    {
        int held = (await profiles.GetAsync(user, cancellationToken)).Count;
        return new SearchedStore("profiles", "the user's profile", held == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{held:N0} interactions")], []);
    }

    // Marks name no user, so this looks at those of all erased users.
    private SearchedStore Models()
    {
        int marked = models.List().Count(model => models.Erasures(model.Version).Count > 0);
        return new SearchedStore("models", "marks of the versions that could see erased users", [.. ErasureMarks.Wanting(windows, models).Select(one => $"{one.Version} is not marked yet")],
            marked == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{marked:N0} versions could see users erased since: models list")]);
    }

    private SearchedStore Files(UserId user, CancellationToken cancellationToken)
    {
        int bytes = Encoding.UTF8.GetByteCount(user.Value);
        if (bytes < FileSearch.ShortestId)
            return new SearchedStore("files", "nothing", [], [$"an id of {bytes} bytes is found in any file by chance; files are searched for ids of {FileSearch.ShortestId} bytes and more"]);
        FileSearch.Result result = FileSearch.Find(root, user.Value, cancellationToken);
        return new SearchedStore("files", string.Create(CultureInfo.InvariantCulture, $"the id's bytes in {result.Files:N0} files of the data folder"), result.Holding,
            [.. result.Perhaps.Select(file => $"{file} holds the id's bytes between other letters or digits: probably a part of another id")]);
    }
}
