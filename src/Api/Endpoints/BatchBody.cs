using System.Runtime.InteropServices;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>A request body as a list of events, each as the bytes that the client sent: <c>[…]</c>, <c>{"events": […]}</c>, one JSON object a line, or one CloudEvent.</summary>
internal static class BatchBody
{
    private static readonly string[] LineTypes = ["application/x-ndjson", "application/jsonl", "application/json-lines", "application/jsonlines"];

    /// <param name="property">Name of the array in the object form: <c>events</c>, <c>items</c>.</param>
    /// <param name="single">The body is one event.</param>
    /// <returns>The parts, or the refusal of a body that is no batch at all.</returns>
    public static async Task<(IReadOnlyList<ReadOnlyMemory<byte>> Parts, ProblemHttpResult? Refusal)> ReadAsync(
        HttpRequest request, string property, bool single, int most, CancellationToken cancellationToken)
    {
        byte[] body = await ReadAllAsync(request, cancellationToken);
        if (single) return ([body], null);
        bool lines = LineTypes.Contains(CloudEventRequest.MediaType(request), StringComparer.OrdinalIgnoreCase);
        var (parts, refusal) = lines ? (Lines(body), null) : Array(body, property);
        if (refusal is not null) return ([], refusal);
        if (parts.Count == 0) return ([], Refused.Field(property, $"The body holds no {property}; expected at least one."));
        return parts.Count > most ? ([], Refused.TooMany(property, parts.Count, most)) : (parts, null);
    }

    public static async Task<byte[]> ReadAllAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // The server stops a body beyond the endpoint's size limit.
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        return body.ToArray();
    }

    private static List<ReadOnlyMemory<byte>> Lines(byte[] body)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        for (int start = 0; start < body.Length;)
        {
            int length = body.AsSpan(start).IndexOf((byte)'\n');
            int end = length < 0 ? body.Length : start + length;
            if (body.AsSpan(start, end - start).ContainsAnyExcept(" \t\r"u8)) lines.Add(body.AsMemory(start, end - start));
            start = end + 1;
        }
        return lines;
    }

    private static (List<ReadOnlyMemory<byte>>, ProblemHttpResult?) Array(byte[] body, string property)
    {
        string expected = $"an array of {property}, an object with \"{property}\": […], or application/x-ndjson with one object a line";
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var array = root.ValueKind == JsonValueKind.Object && root.TryGetProperty(property, out var named) ? named : root;
            if (array.ValueKind == JsonValueKind.Object && array.TryGetProperty("specversion", out _)) return ([body], null); // a CloudEvent that no header announces
            if (array.ValueKind != JsonValueKind.Array)
                return ([], Refused.Field(property, $"The body is {(array.ValueKind == JsonValueKind.Object ? $"an object without {property}" : array.ValueKind)}; expected {expected}."));
            return ([.. array.EnumerateArray().Select(part => (ReadOnlyMemory<byte>)JsonMarshal.GetRawUtf8Value(part).ToArray())], null);
        }
        catch (JsonException failure)
        {
            return ([], Refused.Field(property, $"The body is not JSON (line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}); expected {expected}."));
        }
        catch (InvalidOperationException)
        {
            return ([], Refused.Field(property, $"The body has a member whose name is no valid Unicode; expected {expected}.")); // seen only when names are compared
        }
    }
}
