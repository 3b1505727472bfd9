using System.Text;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>The attributes of a CloudEvent that say something about one of our events. Any other is no concern of ours.</summary>
internal sealed class CloudEventAttributes
{
    public const string SpecVersionName = "specversion";

    private const string Id = "id", Source = "source", Type = "type", Time = "time", DataContentType = "datacontenttype";
    private static readonly string[] Names = [SpecVersionName, Id, Source, Type, Time, DataContentType];

    private readonly string?[] _values = new string?[Names.Length];

    public string? this[string name]
    {
        private get => _values[Array.IndexOf(Names, name)];
        set => _values[Array.IndexOf(Names, name)] = value;
    }

    public static bool IsOne(string name) => Array.IndexOf(Names, name) >= 0;

    /// <summary>Out of the headers of the binary mode; null with a rejection where they make no CloudEvent.</summary>
    public static CloudEventAttributes? OfHeaders(IReadOnlyList<LogHeader> headers, out Rejection? rejection)
    {
        var attributes = new CloudEventAttributes();
        rejection = null;
        foreach (string name in Names)
        {
            attributes[name] = Text(headers, name == DataContentType ? CloudEvent.ContentType : CloudEvent.Prefix + name, out bool unreadable);
            if (unreadable) rejection ??= JsonFields.Invalid(name, "valid UTF-8");
        }
        return rejection is null && attributes.Check(out rejection) ? attributes : null;
    }

    /// <param name="unreadable">The header is there and is no text.</param>
    public static string? Text(IReadOnlyList<LogHeader> headers, string name, out bool unreadable)
    {
        unreadable = false;
        if (LogHeaders.Last(headers, name) is not { } value) return null;
        try
        {
            return JsonFields.StrictUtf8.GetString(value.Span);
        }
        catch (DecoderFallbackException)
        {
            unreadable = true;
            return null;
        }
    }

    /// <summary>Whether it is a CloudEvent 1.0 whose data is JSON.</summary>
    public bool Check(out Rejection? rejection)
    {
        rejection = string.IsNullOrEmpty(this[SpecVersionName]) ? JsonFields.Missing(SpecVersionName, "1.0, as every CloudEvent names it")
            : this[SpecVersionName] != "1.0" ? JsonFields.Invalid(SpecVersionName, $"1.0, got {JsonFields.Shortened(this[SpecVersionName]!)}")
            : string.IsNullOrEmpty(this[Id]) ? JsonFields.Missing(Id, "the CloudEvent's id")
            : string.IsNullOrEmpty(this[Source]) ? JsonFields.Missing(Source, "where the CloudEvent comes from")
            : string.IsNullOrEmpty(this[Type]) ? JsonFields.Missing(Type, "the CloudEvent's type, such as com.shop.purchase")
            : this[DataContentType] is { } content && !IsJson(content) ? JsonFields.Invalid(DataContentType, $"application/json, got {JsonFields.Shortened(content)}")
            : null;
        if (rejection is null) TimeMs(out rejection);
        return rejection is null;
    }

    /// <summary>Source and id, which together are unique: <c>source/id</c>. A slash in the id is written <c>%2F</c>, or two pairs could look alike.</summary>
    public string? EventId(out Rejection? rejection)
    {
        string text = $"{this[Source]}/{this[Id]!.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal)}";
        int bytes = Encoding.UTF8.GetByteCount(text);
        rejection = bytes > Contracts.Id.MaxBytes ? JsonFields.Invalid("source and id", $"at most {Contracts.Id.MaxBytes} bytes together, got {bytes}") : null;
        return rejection is null ? text : null;
    }

    /// <summary>What follows the last dot: <c>com.shop.purchase</c> is a <c>purchase</c>.</summary>
    public string? EventType(out Rejection? rejection)
    {
        string last = this[Type]![(this[Type]!.LastIndexOf('.') + 1)..];
        rejection = last.Length is 0 or > EventLimits.MaxTypeLength ? JsonFields.Invalid(Type, $"1 to {EventLimits.MaxTypeLength} characters after the last dot, got {last.Length}") : null;
        return rejection is null ? last : null;
    }

    /// <summary>Null without a rejection: it names none.</summary>
    public long? TimeMs(out Rejection? rejection)
    {
        rejection = null;
        if (this[Time] is not { } text) return null;
        long? ms = JsonFields.FromIso(text);
        if (ms is null or < EventLimits.MinTimestampMs) rejection = JsonFields.Invalid(Time, "RFC 3339 (2026-01-31T12:00:00Z), a time after 1900");
        return rejection is null ? ms : null;
    }

    private static bool IsJson(string contentType)
    {
        string media = CloudEvent.MediaType(contentType);
        return media.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }
}
