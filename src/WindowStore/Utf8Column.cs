using System.Text;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Texts side by side in one array of bytes.</summary>
internal sealed class Utf8Column
{
    private byte[] _bytes = new byte[1 << 12];
    private int[] _ends = new int[256];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int row] => _bytes.AsSpan(Start(row), _ends[row] - Start(row));

    public string TextOf(int row) => Encoding.UTF8.GetString(this[row]);

    public void Add(ReadOnlySpan<byte> text)
    {
        int start = Start(Count);
        if (_bytes.Length - start < text.Length) Array.Resize(ref _bytes, checked((int)Math.Max(2L * _bytes.Length, (long)start + text.Length)));
        if (_ends.Length == Count) Array.Resize(ref _ends, 2 * Count);
        text.CopyTo(_bytes.AsSpan(start));
        _ends[Count++] = start + text.Length;
    }

    /// <summary>Drops the rows from the count on.</summary>
    public void Truncate(int count) => Count = count;

    private int Start(int row) => row == 0 ? 0 : _ends[row - 1];
}
