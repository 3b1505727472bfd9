using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>
/// What a process that is killed sent, kept in a file of its own: a line before each batch goes out and one when it is known to be durable. Batch <c>b</c> is always the same:
/// events <c>20·b</c> to <c>20·b + 19</c>, some of them poison; every 16th batch is one tombstone instead.
/// </summary>
internal sealed class SentEvents
{
    public const string FileName = "sent";
    public const int LineBytes = 12;
    private const int Users = 7;
    private const int BatchEvents = 20;

    private readonly string _path;
    private readonly SortedDictionary<int, bool> _batches = []; // durable for certain?

    private SentEvents(string folder)
    {
        _path = Path.Combine(folder, FileName);
        if (!File.Exists(_path)) return;
        string text = File.ReadAllText(_path);
        for (int at = 0; at + LineBytes <= text.Length; at += LineBytes)
        {
            int batch = int.Parse(text.AsSpan(at + 1, LineBytes - 2), CultureInfo.InvariantCulture);
            _batches[batch] = _batches.GetValueOrDefault(batch) || text[at] == '+';
        }
    }

    public static SentEvents Of(string folder) => new(folder);

    /// <summary>Items that must have landed.</summary>
    public HashSet<string> Certain => [.. Kept(certain: true).Where(n => !IsPoison(n)).Select(Item)];
    /// <summary>Items that may have landed.</summary>
    public HashSet<string> Possible => [.. Kept(certain: false).Where(n => !IsPoison(n)).Select(Item)];
    public HashSet<string> CertainPoison => [.. Kept(certain: true).Where(IsPoison).Select(Poison)];
    public HashSet<string> PossiblePoison => [.. Kept(certain: false).Where(IsPoison).Select(Poison)];
    public IReadOnlyCollection<string> Erased => [.. _batches.Keys.Where(IsTombstone).Select(ErasedUser).Distinct()];

    /// <summary>Sends batch after batch, from the first that was never begun on; first of all the tombstones in doubt.</summary>
    /// <param name="pace">Waited for between batches: what is sent is to be landed before the kill, not queued.</param>
    public async Task SendAsync(IEventLog log, Func<Task> pace, CancellationToken cancellationToken)
    {
        await SendTombstonesInDoubtAsync(log, cancellationToken);
        await using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        for (int batch = _batches.Count == 0 ? 0 : _batches.Keys.Max() + 1; ; batch++)
        {
            Note(file, '-', batch);
            await log.AppendAsync(Topics.Interactions, Records(batch), cancellationToken);
            Note(file, '+', batch);
            // An event of the very millisecond in which its user was erased stays out: the next ones are to be newer.
            long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            while (IsTombstone(batch) && TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() <= now) await Task.Yield();
            await pace();
        }
    }

    public async Task SendTombstonesInDoubtAsync(IEventLog log, CancellationToken cancellationToken)
    {
        foreach (int batch in _batches.Where(batch => !batch.Value && IsTombstone(batch.Key)).Select(batch => batch.Key).ToArray())
        {
            await log.AppendAsync(Topics.Interactions, Records(batch), cancellationToken);
            await using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            Note(file, '+', batch);
            _batches[batch] = true;
        }
    }

    private static void Note(FileStream file, char mark, int batch) => file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{mark}{batch:D10}\n")));

    private static LogRecord[] Records(int batch) => IsTombstone(batch)
        ? [new LogRecord(Encoding.UTF8.GetBytes(ErasedUser(batch)), null)]
        : [.. Enumerable.Range(batch * BatchEvents, BatchEvents).Select(Record)];

    private static LogRecord Record(int n) => new(Encoding.UTF8.GetBytes(User(n)), Encoding.UTF8.GetBytes(
        IsPoison(n) ? Poison(n)
        : n % 3 == 0 ? $$"""{"event_id":"e{{n}}","user_id":"{{User(n)}}","item_id":"{{Item(n)}}","type":"view"}"""
        : $$"""{"user_id":"{{User(n)}}","item_id":"{{Item(n)}}","type":"view"}"""));

    private IEnumerable<int> Events(bool certain) =>
        _batches.Where(batch => !IsTombstone(batch.Key) && (batch.Value || !certain)).SelectMany(batch => Enumerable.Range(batch.Key * BatchEvents, BatchEvents));

    // A batch is sent when the one before is durable, and a tombstone in doubt before anything else: it takes all events of its user that were sent before, and the letters about them.
    private IEnumerable<int> Kept(bool certain) =>
        Events(certain).Where(n => !_batches.Keys.Any(batch => IsTombstone(batch) && batch * BatchEvents > n && ErasedUser(batch) == User(n)));

    private static bool IsTombstone(int batch) => batch % 16 == 15;
    private static string ErasedUser(int batch) => User(batch / 16);
    private static string User(int n) => $"u{n % Users}";
    private static string Item(int n) => $"i{n}";
    private static bool IsPoison(int n) => n % 29 == 0;
    private static string Poison(int n) => $"poison {n}";
}
