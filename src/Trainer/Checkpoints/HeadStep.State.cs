namespace BeeFormer.Streaming.Trainer;

/// <summary>What a step changes.</summary>
internal sealed partial class HeadStep
{
    /// <summary>W and B.</summary>
    public IReadOnlyList<StatePart> Weights => [StatePart.Of("head/projection", _projection), StatePart.Of("head/word_rows", _wordRows)];

    public IEnumerable<StatePart> Moments => [.. _projectionMoments.State("head/projection"), .. _wordMoments.State("head/word_rows")];
}
