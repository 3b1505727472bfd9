namespace BeeFormer.Streaming.Standalone.DataSets;

/// <param name="Line">Line of the file, from 1, where the row begins.</param>
/// <param name="Fields">In the order of the columns asked for; null where the file has no such column or the row no such field.</param>
internal readonly record struct DataRow(long Line, string?[] Fields)
{
    /// <summary>Longest field in characters; more is taken for a broken file (an open quote swallows everything after it).</summary>
    public const int MaxFieldLength = 1_000_000;
}
