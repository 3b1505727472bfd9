using System.Globalization;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// Training records in a folder, one file each: <c>&lt;requested at, epoch ms&gt;-&lt;id&gt;.json</c>, so names sort by age. Any number of processes may read and change them.
/// </summary>
public sealed class FolderTrainingRecords : ITrainingRecords
{
    /// <summary>Records that are kept; of more the oldest that have ended go.</summary>
    internal const int MostRecords = 500;
    private readonly string folder;

    public FolderTrainingRecords(string folder)
    {
        this.folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        DurableFiles.CreateFolder(this.folder);
    }

    public TrainingRecord? Change(Guid id, Func<TrainingRecord?, TrainingRecord?> change)
    {
        using var changing = FileLock.Exclusive(folder + ".lock"); // beside it: inside are records only
        TrainingRecord? known = Find(id);
        if (change(known) is not { } record) return known;
        DurableFiles.Rewrite(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{record.RequestedAt.ToUnixTimeMilliseconds():D15}-{id}.json")), TrainingJson.Write(record));
        if (known is null)
            foreach (string old in Files().SkipLast(MostRecords).Where(old => Read(old) is not { Ended: false })) DurableFiles.DeleteFile(old);
        return record;
    }

    public TrainingRecord? Find(Guid id) => Directory.EnumerateFiles(folder, $"*-{id}.json").Select(Read).FirstOrDefault(record => record is not null);

    public IReadOnlyList<TrainingRecord> List() => [.. Files().Select(Read).OfType<TrainingRecord>()];

    private string[] Files() => [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal)];

    /// <returns>Null when it is damaged or was removed just now: one record must not hide the others.</returns>
    private static TrainingRecord? Read(string file)
    {
        try
        {
            return ModelJson.Read(file, TrainingJson.Read);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

public static class TrainingRecordsExtensions
{
    /// <summary>Writes or replaces a record, whole or not at all.</summary>
    public static void Save(this ITrainingRecords records, TrainingRecord record) => records.Change(record.Id, _ => record);

    /// <summary>A process that has died ends no training: what it ran is closed by whoever comes after it and knows that nobody trains. What waits goes on waiting.</summary>
    /// <returns>Trainings as they were while they ran.</returns>
    public static IReadOnlyList<TrainingRecord> CloseInterrupted(this ITrainingRecords records, DateTimeOffset now)
    {
        var closed = new List<TrainingRecord>();
        foreach (Guid id in records.List().Where(record => record.State == TrainingState.Running).Select(record => record.Id))
        {
            TrainingRecord? ran = null;
            records.Change(id, known => (ran = known is { State: TrainingState.Running } ? known : null) is null ? null : ran with
            {
                State = ran.CancelRequested ? TrainingState.Cancelled : TrainingState.Interrupted, EndedAt = now, EtaSeconds = null, Decision = "The program ended before the training did; nothing was changed.",
            });
            if (ran is not null) closed.Add(ran);
        }
        return closed;
    }
}
