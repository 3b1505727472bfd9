using System.Collections.Concurrent;
using System.Globalization;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Training records as objects <c>trainings/&lt;requested at, epoch ms&gt;-&lt;id&gt;.json</c>, changed on the condition that they are still what was read.</summary>
/// <param name="most">Records that are kept; of more the oldest that have ended go.</param>
internal sealed class S3TrainingRecords(S3Objects objects, int most = FolderTrainingRecords.MostRecords) : ITrainingRecords
{
    private const string Prefix = "trainings/";
    private const int Attempts = 200;
    private static readonly Dictionary<string, string> NoMetadata = [];
    private readonly S3Records<TrainingRecord> records = new(objects, TrainingJson.Read);
    /// <summary>The names of records never change.</summary>
    private readonly ConcurrentDictionary<Guid, string> names = [];

    public TrainingRecord? Change(Guid id, Func<TrainingRecord?, TrainingRecord?> change)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            string? name = NameOf(id);
            (string ETag, TrainingRecord? Value)? found = name is null ? null : records.Find(name);
            if (found is null) names.TryRemove(id, out _); // it was removed
            TrainingRecord? known = found?.Value;
            if (change(known) is not { } record) return known;
            name ??= string.Create(CultureInfo.InvariantCulture, $"{Prefix}{record.RequestedAt.ToUnixTimeMilliseconds():D15}-{id}.json");
            if (objects.TryPut(name, TrainingJson.Write(record), found?.ETag, NoMetadata) is not { } eTag) continue;
            records.Keep(name, eTag, record);
            names[id] = name;
            if (found is null) RemoveOldest();
            return record;
        }
        throw new IOException($"{objects.FullName(Prefix)}: the record of training {id} was changed by others in each of {Attempts} attempts to change it.");
    }

    public TrainingRecord? Find(Guid id) => NameOf(id) is { } name ? records.Find(name)?.Value : null;

    public IReadOnlyList<TrainingRecord> List() => [.. records.All(Prefix).Select(one => one.Value)];

    private string? NameOf(Guid id)
    {
        if (names.TryGetValue(id, out string? known)) return known;
        string? found = objects.List(Prefix).Select(entry => entry.Name).FirstOrDefault(name => name.EndsWith($"-{id}.json", StringComparison.Ordinal));
        return found is null ? null : names[id] = found;
    }

    private void RemoveOldest()
    {
        List<S3Entry> listed = objects.List(Prefix);
        foreach (S3Entry old in listed.SkipLast(most).Where(old => records.Find(old.Name)?.Value is not { Ended: false })) objects.Delete(old.Name, old.ETag);
    }
}
