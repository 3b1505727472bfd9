using System.Diagnostics;
using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary><c>beeformer</c> as a program.</summary>
internal static partial class Beeformer
{
    public static string DotNet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";

    public static string Assembly => Path.Combine(AppContext.BaseDirectory, "beeformer.dll");

    /// <summary>Serves on a free port and a data folder of its own while something is done with its address.</summary>
    public static async Task ServeAsync(Func<Uri, Task> use)
    {
        string data = Directory.CreateTempSubdirectory("documentation-").FullName;
        using var process = Process.Start(new ProcessStartInfo(DotNet, [Assembly, "serve", "--data", data, "--port", "0"]) { RedirectStandardOutput = true })!;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            patience.CancelAfter(TimeSpan.FromMinutes(3));
            while (true)
            {
                string said = await process.StandardOutput.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException("The server ended before it served.");
                if (Address().Match(said) is not { Success: true } address) continue;
                await use(new Uri(address.Value));
                return;
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(data, recursive: true);
        }
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
