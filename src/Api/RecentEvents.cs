using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Ids of the events that this process appended last, so that a repetition can be named one instead of being written again. What it has forgotten, or another process has taken, is appended once
/// more and counts once all the same. Only digests of the ids are kept. Safe for several threads.
/// </summary>
/// <param name="capacity">Ids remembered; 0: none.</param>
internal sealed class RecentEvents(int capacity)
{
    private readonly Lock _lock = new();
    private readonly HashSet<UInt128> _known = [];
    private readonly Queue<UInt128> _oldestFirst = [];

    public bool Contains(string eventId)
    {
        UInt128 digest = Digest(eventId);
        lock (_lock) return _known.Contains(digest);
    }

    /// <summary>Call it when they are durable.</summary>
    public void Add(IEnumerable<string> eventIds)
    {
        var digests = eventIds.Select(Digest).ToList();
        lock (_lock)
            foreach (UInt128 digest in digests)
            {
                if (capacity == 0 || !_known.Add(digest)) continue;
                _oldestFirst.Enqueue(digest);
                if (_oldestFirst.Count > capacity) _known.Remove(_oldestFirst.Dequeue());
            }
    }

    private static UInt128 Digest(string eventId) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(eventId)));
}
