using System.Text.Json;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

internal static class Shape
{
    public static string[] Names(JsonElement element) => [.. element.EnumerateObject().Select(property => property.Name)];
}
