using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Deals users to variants by rendezvous hashing: each variant draws a number from the user's id, and the highest, weighted by the shares, wins. So a user's variant depends on salt, names and shares alone: not on the order of
/// the variants, on the process or on the time; and a variant that is added, at the cost of all others alike, takes its users from them and moves nobody else.
/// </summary>
/// <param name="all">In their order; empty: everybody is served by <paramref name="otherwise"/>.</param>
/// <param name="otherwise">Section <c>Ranking</c>.</param>
internal sealed class Variants(IReadOnlyList<Variant> all, RankingOptions otherwise, string salt)
{
    private const double Unit = 1.0 / (1L << 53);

    private readonly byte[] _salt = Encoding.UTF8.GetBytes(salt);
    private readonly Variant _unnamed = new(null, 1, otherwise, null, new Dictionary<string, string>());

    public IReadOnlyList<Variant> All => all;

    /// <param name="userId">Null: nobody is known, and the first variant answers.</param>
    public Variant For(string? userId) => all.Count == 0 ? _unnamed : userId is null ? all[0] : all.MaxBy(variant => Draw(variant, userId))!;

    private double Draw(Variant variant, string userId)
    {
        byte[] digest = HMACSHA256.HashData(_salt, Encoding.UTF8.GetBytes($"{variant.Name}\n{userId}"));
        double uniform = ((BinaryPrimitives.ReadUInt64LittleEndian(digest) >> 11) + 0.5) * Unit; // between 0 and 1, never one of them
        return variant.Share / -Math.Log(uniform);
    }
}
