namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>The server refused; the message is its sentence.</summary>
internal sealed class RefusedException(string message) : IOException(message);
