using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>
/// The tombstone that ends a letter. It names the letter's offset, because the event may have been refused again between its return and the mark: that letter, which lies between both, stays.
/// </summary>
internal static class DoneMark
{
    /// <summary>Offset of the last letter of this identity that is done, in the partition of the mark.</summary>
    private const string Header = "beeformer-letter";

    public static LogRecord For(LogPlace id, LogPosition letter) =>
        new(Encoding.UTF8.GetBytes(id.ToString()), null, [new LogHeader(Header, Encoding.UTF8.GetBytes(letter.Offset.ToString(CultureInfo.InvariantCulture)))]);

    /// <summary>Without the header, as another program may write it, all letters before the mark are done.</summary>
    public static long Of(in LogMessage mark) =>
        LogHeaders.Last(mark.Headers, Header) is { } value && Utf8Parser.TryParse(value.Span, out long offset, out int used) && used == value.Length ? offset : mark.Offset;
}
