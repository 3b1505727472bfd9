using System.Diagnostics;

namespace BeeFormer.Streaming.Api;

internal static class ServingTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Api");
}
