using System.Text;

namespace BeeFormer.Streaming.Ingest;

/// <summary>The strings of texts that were met lately, so that ids which come again and again are not made again and again.</summary>
internal sealed class RecentTexts
{
    private const int Places = 1 << 16;

    private readonly string?[] _texts = new string?[Places];

    public string Of(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref string? known = ref _texts[hash.ToHashCode() & Places - 1];
        return known is not null && Ascii.Equals(utf8, known) ? known : known = Encoding.UTF8.GetString(utf8);
    }
}
