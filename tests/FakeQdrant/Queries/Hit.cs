namespace BeeFormer.Streaming.FakeQdrant;

/// <param name="Order">The greater, the better; NaN is best.</param>
/// <param name="Score">What the answer says.</param>
internal readonly record struct Hit(Point Point, float Order, float Score)
{
    /// <summary>For a sort that does not know that NaN is best.</summary>
    public float Rank => float.IsNaN(Order) ? float.PositiveInfinity : Order;
}
