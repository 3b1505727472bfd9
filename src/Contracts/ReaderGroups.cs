namespace BeeFormer.Streaming.Contracts;

/// <summary>Names under which readers of the log commit their positions.</summary>
public static class ReaderGroups
{
    /// <summary>Committed: all below has landed in the window store; retention of the embedded log drops nothing that has not.</summary>
    public const string Ingest = "ingest";
    /// <summary>Committed: all item events below are durable in every collection that is kept up to date.</summary>
    public const string Indexer = "indexer";
    /// <summary>Keeps the Api's popularity counts; reads from the beginning at every start.</summary>
    public const string ApiPopularity = "api-popularity";
    /// <summary>Keeps the Api's set of hidden items between the Indexer's position and the end of the log.</summary>
    public const string ApiHiddenItems = "api-hidden-items";
    /// <summary>Measures in the Api how soon item events are findable; reads from the end, commits nothing.</summary>
    public const string ApiFreshness = "api-freshness";
    /// <summary>Watches in the Api what users do with what they were shown; reads from the end, commits nothing.</summary>
    public const string ApiVariants = "api-variants";
    /// <summary>Reads the stretch of the log that no segment covers yet, for the build of a collection.</summary>
    public const string IndexerRebuild = "indexer-rebuild";
    /// <summary>Lists dead letters, and looks for what has replaced them; commits nothing.</summary>
    public const string DeadLetters = "dead-letters";
}
