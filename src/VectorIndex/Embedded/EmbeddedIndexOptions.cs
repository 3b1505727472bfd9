using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

public sealed class EmbeddedIndexOptions
{
    public const string Section = "VectorIndex";

    /// <summary>Items from which on a collection's large segments are divided into lists, and a search that need not be exact looks into the nearest of these; 0: every search is exact.</summary>
    [Range(0, int.MaxValue)]
    public int ApproximateFrom { get; set; } = 250_000;
}
