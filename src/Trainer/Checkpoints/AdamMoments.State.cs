namespace BeeFormer.Streaming.Trainer;

internal sealed partial class AdamMoments
{
    /// <summary>Both moments, and how often each row was moved.</summary>
    public IEnumerable<StatePart> State(string name) => [StatePart.Of(name + "/first", _first), StatePart.Of(name + "/second", _second), StatePart.Of(name + "/updates", _updates)];
}
