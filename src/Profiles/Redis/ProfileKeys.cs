using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>
/// Names of keys. A shard is the part of the users whose profiles share a hash slot, told by the braces, with the positions that these profiles stand for; a user's shard follows from the id alone.
/// The number of shards is part of the name, so that another number never meets profiles that lie elsewhere.
/// </summary>
internal sealed class ProfileKeys(string prefix, int shards)
{
    private readonly string[] _slots = [.. Enumerable.Range(0, shards).Select(shard => string.Create(CultureInfo.InvariantCulture, $"{{{prefix}:{shard}/{shards}}}"))];

    public int Shards => _slots.Length;

    public int ShardOf(UserId user) => _slots.Length == 1 ? 0 : (int)(Crc32C.Of(Encoding.UTF8.GetBytes(user.Value)) % (uint)_slots.Length);

    /// <summary>A hash: partition → first offset that is not in the shard's profiles.</summary>
    public RedisKey Positions(int shard) => $"{_slots[shard]}:positions";

    /// <summary>A string: stamp and interactions, see <see cref="StoredProfile"/>.</summary>
    public RedisKey User(UserId user) => $"{_slots[ShardOf(user)]}:user:{user.Value}";
}
