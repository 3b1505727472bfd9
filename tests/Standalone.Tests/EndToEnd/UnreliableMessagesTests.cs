using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>Control messages are hints: whatever becomes of them, trainings run once, cancelled ones change nothing, and what is live is what serves.</summary>
[Collection("Pipeline")]
public sealed class UnreliableMessagesTests : IDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    public enum Trouble { Lost, Doubled, Reordered }

    [Theory]
    [InlineData(Trouble.Lost)]
    [InlineData(Trouble.Doubled)]
    [InlineData(Trouble.Reordered)]
    public async Task Every_message_in_trouble_and_the_state_converges(Trouble trouble)
    {
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        var faults = new MessageFaults(trouble);
        var settings = new Dictionary<string, string?>(ManualTraining.Settings)
        {
            ["Policy"] = files.Write("policy.yaml", "head_steps: 40\nhead_output: 128\nmax_seq_length: 32\nmin_probability: 0.5\ntolerance: 1\ncoverage_tolerance: 1\n"), ["Trainer:CheckInterval"] = "00:00:00.200", ["Api:CheckInterval"] = "00:00:00.200", ["Indexer:CheckInterval"] = "00:00:00.200",
        };
        await using StandaloneHost host = await StandaloneHost.StartAsync(Path.Combine(files.Folder, "data"), "http://127.0.0.1:0", quiet: true, settings, Token,
            services => services.AddSingleton<IConfigureReceiveEndpoint>(faults));
        using var client = new HttpClient { BaseAddress = new Uri(host.Urls.Single()) };
        await host.Pipeline.AppendAsync([.. shop.Products.Select(product => product.Item)], Token);
        await host.Pipeline.AppendAsync([.. shop.Past], Token);
        await host.Pipeline.WaitUntilLandedAsync(Topics.Interactions, null, Token);
        await host.Pipeline.WaitUntilLandedAsync(Topics.Items, null, Token);
        await ServesAsync(host, client);
        ModelVersion untrained = host.Pipeline.Models.Live!.Value;

        // A training, and one that is cancelled as soon as it was asked for.
        Guid first = await TrainAsync(client, "head"), second = await TrainAsync(client, "encoder");
        using (HttpResponseMessage cancelled = await client.PostAsync($"v1/trainings/{second}/cancel", null, Token)) Assert.True(cancelled.IsSuccessStatusCode, await cancelled.Content.ReadAsStringAsync(Token));
        Assert.Equal("published", await EndedAsync(client, first));
        Assert.Equal("cancelled", await EndedAsync(client, second));
        Assert.Equal(2, host.Pipeline.Models.List().Count);
        await ServesAsync(host, client);

        // And back.
        using (HttpResponseMessage activated = await client.PostAsync($"v1/models/{untrained}/activate", null, Token)) Assert.True(activated.IsSuccessStatusCode, await activated.Content.ReadAsStringAsync(Token));
        await ServesAsync(host, client);
        Assert.Equal(untrained, host.Pipeline.Models.Live);
        Assert.Equal([first, second], (await TrainingsAsync(client)).Select(training => training.Id).Order());
        Assert.True(faults.Count > 0, "No message was in trouble.");
    }

    private static async Task<Guid> TrainAsync(HttpClient client, string tempo)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/trainings", new { tempo }, Token);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("training_id").GetGuid();
    }

    private static async Task<(Guid Id, string State)[]> TrainingsAsync(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>("v1/trainings", Token)).GetProperty("trainings").EnumerateArray().Select(training => (training.GetProperty("training_id").GetGuid(), training.GetProperty("state").GetString()!))];

    private static async Task<string> EndedAsync(HttpClient client, Guid id)
    {
        string state = "";
        await Condition.HoldsAsync(async () => (state = (await TrainingsAsync(client)).Single(training => training.Id == id).State) is not ("queued" or "running"), () => $"Training {id} should end; it is {state}");
        return state;
    }

    /// <summary>Until index and Api are at what is live.</summary>
    private static async Task ServesAsync(StandaloneHost host, HttpClient client)
    {
        await host.Pipeline.WaitUntilServedAsync(Token);
        JsonElement answer = default;
        await Condition.HoldsAsync(async () =>
        {
            using HttpResponseMessage response = await client.PostAsJsonAsync("v1/search", new { text = "lamp", k = 1 }, Token);
            answer = await response.Content.ReadFromJsonAsync<JsonElement>(Token);
            return response.IsSuccessStatusCode && answer.GetProperty("model_version").GetString() == host.Pipeline.Models.Live?.Value;
        }, () => $"The Api should serve {host.Pipeline.Models.Live}; it says {answer}");
    }

    /// <summary>In front of every consumer: loses each message, gives it twice, or holds it until the next one has been given.</summary>
    private sealed class MessageFaults(Trouble trouble) : IConfigureReceiveEndpoint, IFilter<ConsumeContext>
    {
        private readonly ConcurrentDictionary<Uri, (ConsumeContext Context, IPipe<ConsumeContext> Next)> held = new();
        private int count;

        public int Count => count;

        public void Configure(string name, IReceiveEndpointConfigurator configurator) => configurator.UseFilter(this);

        public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            Interlocked.Increment(ref count);
            switch (trouble)
            {
                case Trouble.Doubled:
                    await next.Send(context);
                    await next.Send(context);
                    break;
                case Trouble.Reordered:
                    if (!held.TryRemove(context.ReceiveContext.InputAddress, out var earlier))
                    {
                        held[context.ReceiveContext.InputAddress] = (context, next);
                        return;
                    }
                    await next.Send(context);
                    await earlier.Next.Send(earlier.Context);
                    break;
            }
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("trouble");
    }
}
