using System.Diagnostics;

namespace BeeFormer.Streaming.Ingest;

internal static class IngestTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Ingest");
}
