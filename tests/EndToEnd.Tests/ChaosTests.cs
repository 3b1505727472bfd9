using System.Diagnostics;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.EndToEnd.Tests;

/// <summary>The short form of <c>eng/chaos</c>: a minute and a half of faults, always the same ones.</summary>
[Collection("installation")] // one at a time
public sealed class ChaosTests
{
    [Fact]
    public async Task Nothing_is_lost_doubled_or_mixed_while_services_and_servers_break()
    {
        Requirement.Of(Installation.Missing);
        string folder = Directory.CreateTempSubdirectory("beeformer-chaos-").FullName;
        var start = new ProcessStartInfo("dotnet", [Checkout.Built("Chaos", "BeeFormer.Streaming.Chaos.dll"), "--minutes", "1.5", "--seed", "3", "--folder", folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var chaos = Process.Start(start)!;
        try
        {
            var output = chaos.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            string error = await chaos.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await chaos.WaitForExitAsync(TestContext.Current.CancellationToken);
            string said = await output + error;
            TestContext.Current.SendDiagnosticMessage("{0}", said);
            Assert.True(chaos.ExitCode == 0, said);
            Assert.Contains("Nothing was lost, doubled or mixed (seed 3).", said, StringComparison.Ordinal);
        }
        finally
        {
            if (!chaos.HasExited) chaos.Kill(entireProcessTree: true);
        }
        Directory.Delete(folder, recursive: true);
    }
}
