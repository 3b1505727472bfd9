using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api;

/// <summary>Places kept for items of which little is known yet: what is never shown is never learned about.</summary>
public static class Exploration
{
    /// <summary>Items about equally near take turns.</summary>
    private const int Near = 10;

    /// <summary>Whether this place, from 0, is kept: the last of every 1/share, so of the first n places so many as their share, rounded down.</summary>
    public static bool Keeps(int place, double share) => Whole((place + 1) * share) > Whole(place * share);

    /// <summary>Whose turn it is, lowest first: the nearest ten in an order of the user's own that changes with time, then the ten after them, and so on. Longer lists begin with the turns of shorter ones.</summary>
    /// <param name="nearestFirst">Little known items by their nearness to the user.</param>
    /// <param name="who">The user.</param>
    /// <param name="period">The number of the span of time: within one the order stays, from page to page.</param>
    public static ulong[] Turns(IReadOnlyList<ItemId> nearestFirst, string who, long period)
    {
        uint seed = Hash($"{period}\n{who}"); // a history that stands for a user may be long: it is gone through once
        return [.. nearestFirst.Select((item, n) => (ulong)(n / Near) << 32 | Hash($"{seed}\n{item.Value}"))];
    }

    private static uint Hash(string text) => BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static double Whole(double places) => Math.Floor(places + 1e-9); // 0.29 · 100 is 28.999…
}
