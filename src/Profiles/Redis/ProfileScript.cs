namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>The one write to Redis: profiles and position of a shard together, if both are still what the writer read. Sent twice it writes once.</summary>
internal static class ProfileScript
{
    /// <summary>
    /// Keys: positions, then users. Arguments: partition, position read, next position, time to live in ms (0: none), then for each user the stamp read (empty: not there) and the new value (empty: delete).
    /// Returns the position as it is afterwards: the next one when this call, or an earlier one with the same arguments, wrote.
    /// </summary>
    public const string Write = """
        local at = redis.call('HGET', KEYS[1], ARGV[1]) or '0'
        if at ~= ARGV[2] then return at end
        for n = 2, #KEYS do
          if redis.call('GETRANGE', KEYS[n], 0, 11) ~= ARGV[2 * n + 1] then return at end
        end
        for n = 2, #KEYS do
          local value = ARGV[2 * n + 2]
          if value == '' then redis.call('DEL', KEYS[n])
          elseif ARGV[4] == '0' then redis.call('SET', KEYS[n], value)
          else redis.call('SET', KEYS[n], value, 'PX', ARGV[4]) end
        end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return ARGV[3]
        """;
}
