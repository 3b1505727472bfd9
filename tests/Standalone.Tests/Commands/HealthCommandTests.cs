using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>Whether a server works, asked from outside of it.</summary>
[Collection("Pipeline")]
public sealed class HealthCommandTests
{
    [Fact]
    public async Task A_server_that_works_is_one_and_where_none_runs_that_is_said()
    {
        using var files = new Files();
        string data = Path.Combine(files.Folder, "data");
        ModelFolder.Make(data);
        Tool.Result none = await Tool.RunAsync("health", "--data", data);
        Assert.Equal(1, none.ExitCode);
        Assert.Contains($"No server runs on {data}", none.Error, StringComparison.Ordinal);

        await using (await StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, ManualTraining.Settings, TestContext.Current.CancellationToken))
        {
            // On a busy machine the answer may come later than a container waits for it; then it is asked again, as a container does.
            Tool.Result answer = none;
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (answer.ExitCode != 0 && await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken)) answer = await Tool.RunAsync("health", "--data", data);
            Assert.StartsWith("{\"status\":\"healthy\"", answer.Output, StringComparison.Ordinal);
        }
        Assert.Equal(1, (await Tool.RunAsync("health", "--data", data)).ExitCode);
    }
}
