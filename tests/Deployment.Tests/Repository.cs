using System.ComponentModel;
using System.Diagnostics;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>The checkout, and the programs of this machine that look at it.</summary>
internal static class Repository
{
    public static readonly string[] Services = ["Ingest", "Trainer", "Indexer", "Api"];

    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] path) => Path.Combine([Root, .. path]);

    public static string Read(params string[] path) => File.ReadAllText(PathOf(path));

    /// <summary>Runs to the end and gives what it printed. Where there is no such program the test is skipped; CI promises that there is, where Debian has it.</summary>
    /// <param name="debian">Debian's package; null: it has none that would do.</param>
    public static async Task<string> RunAsync(string? debian, string program, params string[] arguments)
    {
        var token = TestContext.Current.CancellationToken;
        using var process = Start(debian, program, arguments);
        string[] said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(token), process.StandardError.ReadToEndAsync(token));
        await process.WaitForExitAsync(token);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {string.Concat(said)}");
        return said[0];
    }

    public static Process Start(string? debian, string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception absent)
        {
            string why = $"There is no {program} on this machine ({debian ?? "no package of Debian has a current one"}): {absent.Message}";
            if (debian is null) Assert.Skip(why);
            SkipOrFail(why);
            throw;
        }
    }

    public static void SkipOrFail(string why)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(why);
        Assert.Skip(why);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) return folder.FullName;
        throw new InvalidOperationException($"No BeeFormer.Streaming.sln above {AppContext.BaseDirectory}.");
    }
}
