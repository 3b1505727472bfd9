using System.Buffers;
using System.Text;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Texts side by side in one array of bytes.</summary>
internal sealed class Utf8Column
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1 << 12);
    private int[] _ends = ArrayPool<int>.Shared.Rent(256);

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int row] => _bytes.AsSpan(Start(row), _ends[row] - Start(row));

    public string TextOf(int row) => Encoding.UTF8.GetString(this[row]);

    public void Add(ReadOnlySpan<byte> text)
    {
        int start = Start(Count);
        if (_bytes.Length - start < text.Length) Grow(ref _bytes, start, (long)start + text.Length);
        if (_ends.Length == Count) Grow(ref _ends, Count, Count + 1);
        text.CopyTo(_bytes.AsSpan(start));
        _ends[Count++] = start + text.Length;
    }

    /// <summary>Drops the rows from the count on.</summary>
    public void Truncate(int count) => Count = count;

    // Arrays grow by doubling; the smaller ones go back to the pool, for the columns of other segments.
    private static void Grow<T>(ref T[] array, int used, long needed)
    {
        var larger = ArrayPool<T>.Shared.Rent(checked((int)Math.Max(2L * array.Length, needed)));
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }

    private int Start(int row) => row == 0 ? 0 : _ends[row - 1];
}
