namespace BeeFormer.Streaming.WindowStore;

/// <summary>The erasure of one user, as it is kept. Who was erased can be checked, not read.</summary>
/// <param name="User">SHA-256 of the store's random salt and the user's id, 64 hexadecimal digits.</param>
/// <param name="AtMs">The log's time of the newest request, UTC milliseconds. The user's events up to then are erased.</param>
/// <param name="Below">For each partition the first offset that had not landed when the request was first noted: rows below are erased whatever their event time.</param>
/// <param name="Done">All segments were looked through once, and rewritten where they held the user.</param>
/// <param name="Removed">What was removed, by partition.</param>
/// <param name="Rows">Each removed row; null where there were more than <see cref="MaxRows"/>.</param>
public sealed record Erasure(
    string User, long AtMs, IReadOnlyDictionary<int, long> Below, bool Done, IReadOnlyList<ErasedRange> Removed, IReadOnlyList<ErasedRow>? Rows)
{
    /// <summary>Rows up to which they are kept one by one.</summary>
    public const int MaxRows = 10_000;

    internal static Erasure Of(string user) => new(user, long.MinValue, new Dictionary<int, long>(), false, [], []);

    /// <summary>Whether a row of the user is one of those that go.</summary>
    internal bool Covers(ErasedRow row) => row.TimestampMs <= AtMs || (Below.TryGetValue(row.Partition, out long below) && row.Offset < below);

    /// <summary>With rows that are about to be removed. The same rows may be added again: a crash may have come before the removal.</summary>
    internal Erasure With(IReadOnlyList<ErasedRow> rows)
    {
        var all = Rows?.Union(rows).OrderBy(row => row.Partition).ThenBy(row => row.Offset).ToList();
        if (all is null) return this with { Removed = [.. Removed.Concat(Ranges(rows)).GroupBy(range => range.Partition).OrderBy(partition => partition.Key).Select(partition => partition.Aggregate(ErasedRange.Union))] };
        return this with { Removed = Ranges(all), Rows = all.Count <= MaxRows ? all : null };
    }

    private static List<ErasedRange> Ranges(IReadOnlyList<ErasedRow> rows) =>
        [.. rows.GroupBy(row => row.Partition).OrderBy(partition => partition.Key).Select(partition => new ErasedRange(partition.Key, partition.Min(row => row.Offset),
            partition.Max(row => row.Offset), partition.Min(row => row.TimestampMs), partition.Max(row => row.TimestampMs), partition.Count()))];
}

/// <summary>Removed rows of one partition: lowest and highest offset, oldest and newest event time, number. Beyond <see cref="Erasure.MaxRows"/> a row may be counted twice if a crash came between.</summary>
public sealed record ErasedRange(int Partition, long FirstOffset, long LastOffset, long FromMs, long ToMs, long Rows)
{
    internal static ErasedRange Union(ErasedRange a, ErasedRange b) => new(a.Partition,
        Math.Min(a.FirstOffset, b.FirstOffset), Math.Max(a.LastOffset, b.LastOffset), Math.Min(a.FromMs, b.FromMs), Math.Max(a.ToMs, b.ToMs), a.Rows + b.Rows);
}

public readonly record struct ErasedRow(int Partition, long Offset, long TimestampMs);
