using System.Buffers.Binary;

namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>
/// A profile as a value in Redis: <c>partition int32 · offset int64</c> of the last change, the stamp by which a writer sees that the profile is still the one that it read; then the interactions
/// (<see cref="UserProfile"/>).
/// </summary>
internal static class StoredProfile
{
    public const int StampBytes = 12;

    public static byte[] Of(int partition, long offset, ReadOnlySpan<byte> interactions)
    {
        var stored = new byte[StampBytes + interactions.Length];
        BinaryPrimitives.WriteInt32LittleEndian(stored, partition);
        BinaryPrimitives.WriteInt64LittleEndian(stored.AsSpan(4), offset);
        interactions.CopyTo(stored.AsSpan(StampBytes));
        return stored;
    }

    /// <summary>Empty for a user who is not there.</summary>
    public static ReadOnlySpan<byte> Stamp(byte[]? stored) => stored is null ? [] : stored.AsSpan(0, StampBytes);

    /// <inheritdoc cref="Stamp"/>
    public static ReadOnlySpan<byte> Interactions(byte[]? stored) => stored is null ? [] : stored.AsSpan(StampBytes);
}
