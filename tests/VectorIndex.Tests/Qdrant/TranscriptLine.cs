using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>One recorded call; the README beside the recording tells what the keys mean.</summary>
public sealed record TranscriptLine(
    string Step, string Method, string Status, string? Message, string? Server, string[][]? Metadata, string[][]? Trailers, byte[]? RequestB64, byte[]? ResponseB64, JsonNode? Request, JsonNode? Response,
    string[]? OutsideSubset, string[]? ResponseOutsideSubset, string[]? Volatile, string[]? Unordered, bool Ties, bool Racy, bool Approximate)
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    public static IReadOnlyList<TranscriptLine> All { get; } = [.. TranscriptFolder.Lines("transcript.jsonl").Select(line => JsonSerializer.Deserialize<TranscriptLine>(line, Names)!)];
}
