namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>One attempt that reached the server, refused ones included.</summary>
/// <param name="Method">As in <c>Points/Upsert</c>.</param>
/// <param name="Headers">Names in small letters.</param>
public sealed record RecordedCall(string Method, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The message's bytes; empty while the call was refused before it was read.</summary>
    public ReadOnlyMemory<byte> Request { get; internal set; }
}
