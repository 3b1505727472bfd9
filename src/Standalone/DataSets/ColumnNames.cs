namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>What the columns of a data set are called.</summary>
internal sealed record ColumnNames
{
    public string User { get; init; } = "user_id";
    public string Item { get; init; } = "item_id";
    /// <summary>Stars, quantity; the column may be absent.</summary>
    public string Value { get; init; } = "value";
    /// <summary>ISO 8601, Unix seconds or milliseconds; absent or empty throughout: the order of the file.</summary>
    public string Timestamp { get; init; } = "timestamp";
    public string Title { get; init; } = "title";
    /// <summary>The column may be absent, and a text empty: the title stands in.</summary>
    public string Text { get; init; } = "text";
}
