using System.Text.Json;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>The built program as a process of its own, killed without warning while it fine-tunes an encoder.</summary>
[Collection("Pipeline")]
public sealed class TrainingKillTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task A_training_whose_process_was_killed_is_gone_on_with_by_the_next_one()
    {
        string data = Path.Combine(files.Folder, "data"), checkpoint = Path.Combine(data, "checkpoints", "encoder.json");
        string policy = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 60\nhead_output: 128\nmin_holdout_users: 5\nencoder_steps: 300\nmax_output: 32\ncheckpoint_every: 0.01\n");
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        await using (StandaloneHost host = await ServeAsync(data, policy))
        {
            await host.Pipeline.AppendAsync([.. shop.Products.Select(product => product.Item)], TestContext.Current.CancellationToken);
            await host.Pipeline.AppendAsync([.. shop.Interactions], TestContext.Current.CancellationToken);
        }
        using (Program program = Program.Start("train", "--data", data, "--policy", policy, "--tempo", "encoder")) await program.KillAsync(() => File.Exists(checkpoint));

        JsonElement resumed = default;
        await using (StandaloneHost host = await ServeAsync(data, policy))
            await Condition.HoldsAsync(async () =>
            {
                resumed = (await TrainingsAsync(data)).First(one => one.GetProperty("reason").GetString() == "resume");
                return resumed.GetProperty("state").GetString() is not ("queued" or "running");
            }, () => $"The training should end: {resumed}");
        Assert.True(resumed.GetProperty("state").GetString() is "published" or "refused", $"{resumed}");
        Assert.DoesNotContain("begun anew", resumed.GetProperty("decision").GetString()!, StringComparison.Ordinal);
        JsonElement killed = (await TrainingsAsync(data)).Single(one => one.GetProperty("reason").GetString() == "manual");
        Assert.Equal(("interrupted", resumed.GetProperty("continues").GetGuid()), (killed.GetProperty("state").GetString(), killed.GetProperty("training_id").GetGuid()));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(checkpoint)!));
    }

    private static Task<StandaloneHost> ServeAsync(string data, string policy) => StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true,
        new Dictionary<string, string?>(ManualTraining.Settings) { ["Policy"] = policy }, TestContext.Current.CancellationToken);

    private static async Task<JsonElement[]> TrainingsAsync(string data) =>
        [.. JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("trainings", "list", "--data", data, "--json")).Output).GetProperty("trainings").EnumerateArray()];
}
