namespace BeeFormer.Streaming.Trainer;

/// <summary>What the next step depends on beside weights and gradients.</summary>
internal sealed partial class NAdam
{
    public IEnumerable<StatePart> Moments => _m.Select((m, n) => StatePart.Of($"nadam/{n}/first", m)).Concat(_v.Select((v, n) => StatePart.Of($"nadam/{n}/second", v)));

    /// <summary>Steps done, and the product of their momenta.</summary>
    public (int Steps, double MomentumProduct) Counters
    {
        get => (_t, _momentumProduct);
        set => (_t, _momentumProduct) = value;
    }
}
