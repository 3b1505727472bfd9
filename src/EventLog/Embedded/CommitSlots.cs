using System.Buffers.Binary;
using FASTER.core;
using Microsoft.Win32.SafeHandles;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// How far the log is durable, in one file of two slots written in turn: a torn write spoils one slot and the other still holds the commit before.
/// One synchronous write a commit, where the default of FASTER creates and deletes a file.
/// </summary>
internal sealed class CommitSlots : ILogCommitManager
{
    private const int SlotBytes = 4096;
    private const int HeaderBytes = 24; // magic u64 · commit number i64 · length i32 · crc u32
    private const ulong Magic = 0x31_54_4d_43_47_4f_4c_42; // "BLOGCMT1"

    private readonly SafeFileHandle _file;
    private readonly SortedDictionary<long, byte[]> _commits = [];
    private readonly Lock _gate = new();
    private int _nextSlot;

    public CommitSlots(string path)
    {
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.WriteThrough);
        long newest = long.MinValue;
        for (int slot = 0; slot < 2; slot++)
        {
            if (TryReadSlot(slot) is not var (number, metadata)) continue;
            _commits[number] = metadata;
            if (number <= newest) continue;
            newest = number;
            _nextSlot = 1 - slot;
        }
    }

    /// <summary>Set when a commit could not be written; FASTER runs commits on threads of its own, where an exception would end the process.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The address below which everything is durable; null before the first commit.</summary>
    public long? DurableUntil => Newest()?.UntilAddress;

    public void Commit(long beginAddress, long untilAddress, byte[] commitMetadata, long commitNum, bool forceWriteMetadata)
    {
        lock (_gate)
        {
            try
            {
                Write(commitNum, commitMetadata);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                Failure = failure;
            }
        }
    }

    /// <summary>Moves the durable end back: what lies behind was lost by the disk.</summary>
    public void Rewind(long untilAddress)
    {
        lock (_gate)
        {
            var info = Newest() ?? throw new InvalidOperationException("nothing was committed yet");
            info.UntilAddress = untilAddress;
            info.CommitNum++;
            Write(info.CommitNum, info.ToByteArray());
        }
    }

    public IEnumerable<long> ListCommits()
    {
        lock (_gate) return _commits.Keys.Reverse().ToArray();
    }

    public byte[] GetCommitMetadata(long commitNum)
    {
        lock (_gate) return _commits[commitNum];
    }

    // Slots are overwritten in turn: nothing piles up that would have to be removed.
    public void RemoveCommit(long commitNum) { }
    public void RemoveAllCommits() { }
    public void OnRecovery(long commitNum) { }

    public void Dispose() => _file.Dispose();

    private FasterLogRecoveryInfo? Newest()
    {
        lock (_gate)
        {
            if (_commits.Count == 0) return null;
            var info = new FasterLogRecoveryInfo();
            using var reader = new BinaryReader(new MemoryStream(_commits[_commits.Keys.Max()]));
            info.Initialize(reader);
            return info;
        }
    }

    private void Write(long number, byte[] metadata)
    {
        var slot = new byte[SlotBytes];
        if (metadata.Length > SlotBytes - HeaderBytes) throw new IOException($"commit metadata has {metadata.Length} bytes; a slot holds {SlotBytes - HeaderBytes}");
        BinaryPrimitives.WriteUInt64LittleEndian(slot, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(8), number);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(16), metadata.Length);
        metadata.CopyTo(slot, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(20), Checksum(slot, metadata.Length));
        RandomAccess.Write(_file, slot, (long)_nextSlot * SlotBytes);
        _nextSlot = 1 - _nextSlot;
        _commits[number] = metadata;
        while (_commits.Count > 2) _commits.Remove(_commits.Keys.Min());
    }

    private (long Number, byte[] Metadata)? TryReadSlot(int index)
    {
        var slot = new byte[SlotBytes];
        if (RandomAccess.Read(_file, slot, (long)index * SlotBytes) < SlotBytes) return null;
        int length = BinaryPrimitives.ReadInt32LittleEndian(slot.AsSpan(16));
        if (BinaryPrimitives.ReadUInt64LittleEndian(slot) != Magic || length is < 0 or > SlotBytes - HeaderBytes) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(slot.AsSpan(20)) != Checksum(slot, length)) return null;
        return (BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(8)), slot.AsSpan(HeaderBytes, length).ToArray());
    }

    private static uint Checksum(byte[] slot, int length) => Crc32C.Of(slot.AsSpan(0, 20)) ^ Crc32C.Of(slot.AsSpan(HeaderBytes, length));
}
