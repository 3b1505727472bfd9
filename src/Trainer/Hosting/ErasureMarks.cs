using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Which models could see interactions of users erased since. A version says which offsets its window could see, not which of their rows it took: it is marked where it may have learned from the user.
/// </summary>
public static class ErasureMarks
{
    /// <summary>Brings the marks of all versions up to date. May be repeated.</summary>
    /// <returns>Versions whose marks have changed.</returns>
    public static IReadOnlyList<ModelVersion> Apply(IWindowStore windows, IModelStore models)
    {
        var wanting = Wanting(windows, models);
        foreach (var (version, marks) in wanting) models.MarkErasures(version, marks);
        return [.. wanting.Select(one => one.Version)];
    }

    /// <summary>Versions whose marks are not what they should be, and what that is.</summary>
    public static IReadOnlyList<(ModelVersion Version, IReadOnlyList<ErasureMark> Marks)> Wanting(IWindowStore windows, IModelStore models)
    {
        var erasures = windows.Erasures().Where(erasure => erasure.Removed.Count > 0).OrderBy(erasure => erasure.AtMs).ThenBy(erasure => erasure.User, StringComparer.Ordinal).ToList();
        var published = models.List();
        var all = models.Retired().Concat(published).GroupBy(manifest => manifest.Version).ToDictionary(same => same.Key, same => same.Last());
        return [.. published.Select(manifest => (manifest.Version, Marks: (IReadOnlyList<ErasureMark>)Of(manifest, all, erasures))).Where(one => !one.Marks.SequenceEqual(models.Erasures(one.Version)))];
    }

    private static List<ErasureMark> Of(ModelManifest manifest, Dictionary<ModelVersion, ModelManifest> all, List<Erasure> erasures)
    {
        var lineage = new List<ModelManifest>();
        for (ModelManifest? next = manifest; next is not null && lineage.All(one => one.Version != next.Version); next = next.Model.Parent is { } parent ? all.GetValueOrDefault(parent) : null) lineage.Add(next);
        var marks = new List<ErasureMark>();
        foreach (var erasure in erasures)
            foreach (var one in lineage) // the version itself first
            {
                if (Seen(one, erasure) is not (> 0 and var rows)) continue;
                marks.Add(new ErasureMark(DateTimeOffset.FromUnixTimeMilliseconds(erasure.AtMs), rows, one.Version == manifest.Version ? null : one.Version));
                break;
            }
        return marks;
    }

    /// <summary>
    /// How many of the removed rows the version's window could see. The segment that covers a request lands after the user's rows are gone: a window that saw beyond what had landed
    /// before the request cannot have seen them, and one that did not may have been read before.
    /// </summary>
    private static long Seen(ModelManifest manifest, Erasure erasure)
    {
        if (manifest.Origin is not null || manifest.Model.WindowHash is null) return 0; // its offsets mean another log, or it learned nothing
        bool ReadBefore(int partition, out long asOf) => manifest.Model.WindowAsOf.TryGetValue(partition, out asOf) && asOf <= erasure.Below.GetValueOrDefault(partition);
        return erasure.Rows is { } rows
            ? rows.Count(row => ReadBefore(row.Partition, out long asOf) && row.Offset < asOf)
            : erasure.Removed.Sum(range => ReadBefore(range.Partition, out long asOf) && range.FirstOffset < asOf ? range.Rows : 0);
    }
}
