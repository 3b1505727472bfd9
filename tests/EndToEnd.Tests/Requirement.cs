namespace BeeFormer.Streaming.EndToEnd.Tests;

/// <summary>What a test cannot run without: it is skipped where that is missing, and says so; in CI it fails.</summary>
internal static class Requirement
{
    /// <param name="missing">Null: nothing.</param>
    public static void Of(string? missing)
    {
        if (missing is null) return;
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
        Assert.Skip(missing);
    }
}
