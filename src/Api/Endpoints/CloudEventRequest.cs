using System.Text;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.EventLog;
using Microsoft.AspNetCore.Http;

namespace BeeFormer.Streaming.Api;

/// <summary>CloudEvents by the HTTP binding: structured, batch and binary, as what the Kafka binding would have said, so that both are read alike.</summary>
internal static class CloudEventRequest
{
    private const string Structured = "application/cloudevents+json", Batch = "application/cloudevents-batch+json";
    private const string Prefix = "ce-";

    /// <param name="single">The body is one event, not a list of them.</param>
    /// <returns>The headers of each event in the body; null where none says that it is a CloudEvent.</returns>
    public static IReadOnlyList<LogHeader>? Headers(HttpRequest request, out bool single)
    {
        single = false;
        string media = MediaType(request);
        if (media.Equals(Batch, StringComparison.OrdinalIgnoreCase)) return [Header("content-type", Structured)];
        bool binary = request.Headers.ContainsKey("ce-specversion") || request.Headers.ContainsKey("ce-id") || request.Headers.ContainsKey("ce-type") || request.Headers.ContainsKey("ce-source");
        if (!binary && !media.StartsWith("application/cloudevents", StringComparison.OrdinalIgnoreCase)) return null;
        single = true;
        return
        [
            Header("content-type", request.ContentType ?? "application/json"),
            .. request.Headers.Where(header => header.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                .Select(header => Header("ce_" + header.Key[Prefix.Length..].ToLowerInvariant(), Decoded(header.Value.ToString()))),
        ];
    }

    /// <summary>The content type without its parameters; empty where there is none.</summary>
    public static string MediaType(HttpRequest request) => request.ContentType?.Split(';')[0].Trim() ?? "";

    /// <summary>Values may be quoted, and are percent-encoded where HTTP allows no plain text.</summary>
    private static string Decoded(string value) =>
        Uri.UnescapeDataString(value is ['"', .. var quoted, '"'] ? Regex.Replace(quoted, @"\\(.)", "$1") : value);

    private static LogHeader Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));
}
