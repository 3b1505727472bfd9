using System.Text.Json;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Standalone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>On the data folder itself, while no server works on it: what is replayed lands at the next start.</summary>
internal sealed class StoredDeadLetters : IDeadLetterAccess
{
    private readonly DataFolder folder;
    private readonly string path;
    private readonly ServiceProvider log;
    private readonly DeadLetterLog letters;

    /// <param name="folder">Locked; given back on disposal.</param>
    public StoredDeadLetters(DataFolder folder, string path)
    {
        (this.folder, this.path) = (folder, path);
        // As the server has it, or this would look at another log.
        IConfiguration configuration = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }).Configuration;
        log = new ServiceCollection().AddLogging().AddEventLog(configuration, folder.Log).BuildServiceProvider();
        try
        {
            EventClock clock = EventClock.Of(configuration);
            letters = new DeadLetterLog(log.GetRequiredService<IEventLog>(), clock.AllowedError, TimeProvider.System);
        }
        catch
        {
            log.Dispose();
            folder.Dispose();
            throw;
        }
    }

    public string Name => $"Data folder {path} (no server works on it)";

    public async Task<DeadLettersReport> ListAsync(DeadLetterChoice choice, int limit, string? after, CancellationToken cancellationToken)
    {
        DeadLetterPage page = await letters.ListAsync(Filter(choice), after is null ? null : Place(after), limit, cancellationToken);
        return new DeadLettersReport(page.Total, page.Matching,
            [.. page.Letters.Select(letter => new DeadLetterRow(letter.Id.ToString(), letter.Reason, letter.Message, letter.Time, letter.Bytes))], page.More ? page.Letters[^1].Id.ToString() : null);
    }

    public async Task<DeadLetterReport> ShowAsync(string id, CancellationToken cancellationToken) =>
        await letters.FindAsync(Place(id), cancellationToken) is { } letter
            ? new DeadLetterReport(id, letter.Reason, letter.Message, DeadLetterSummary.Of(letter).Time, letter.Key, letter.Value, letter.Headers ?? [])
            : throw new IOException($"There is no dead letter {id} in {path}.");

    public async Task<ReplayedReport> ReplayAsync(DeadLetterChoice choice, bool force, bool dryRun, CancellationToken cancellationToken)
    {
        ReplayReport report = await letters.ReplayAsync(Filter(choice), force, dryRun, cancellationToken);
        return new ReplayedReport(report.DryRun, report.Count(ReplayOutcome.Replayed), report.Count(ReplayOutcome.Superseded), report.Count(ReplayOutcome.Unreadable), report.Count(ReplayOutcome.Unknown),
            [.. report.Staying.Select(one => new StayingRow(one.Id.ToString(), JsonNamingPolicy.SnakeCaseLower.ConvertName(one.Outcome.ToString()), one.Why))]);
    }

    /// <exception cref="InvalidDataException">It is no id.</exception>
    public static LogPlace Place(string id) =>
        LogPlace.TryParse(id, out LogPlace place) ? place : throw new InvalidDataException($"{id} is no dead letter's id; expected topic/partition/offset, such as interactions/0/17.");

    public void Dispose()
    {
        letters.Dispose();
        log.Dispose();
        folder.Dispose();
    }

    private static DeadLetterFilter Filter(DeadLetterChoice choice) => new(choice.Reason, choice.Topic, choice.Ids.Count > 0 ? choice.Ids.Select(Place).ToHashSet() : null);
}
