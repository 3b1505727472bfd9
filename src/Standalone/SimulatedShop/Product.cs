using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <param name="Use">Index into <see cref="Uses.All"/>: what shoppers buy it for. Never in the text as such.</param>
/// <param name="Role">Index into the use's roles.</param>
/// <param name="ArrivesMs">When it can be bought for the first time, UTC milliseconds.</param>
/// <param name="Appeal">Share of attention, Zipf over the shop.</param>
internal sealed record Product(ItemEvent Item, int Use, int Role, long ArrivesMs, double Appeal)
{
    public string Department => Uses.All[Use].Roles[Role].Department;
}
