using System.Text.Json.Nodes;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.EndToEnd.Tests;

/// <summary>The four services, two of each, as processes of their own on real servers.</summary>
[Collection("installation")] // one at a time
public sealed class DistributedTests
{
    private const string Policy = "seed: 7\nhead_steps: 60\nhead_output: 256\ntolerance: 1\n";

    /// <summary>Trainings come when they are asked for; in this arithmetic a text has the same bits in any batch and on any number of threads.</summary>
    private static readonly Dictionary<string, string?> s_settings = new()
    {
        ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00", ["Trainer:Threads"] = "1", ["Encoder:Arithmetic"] = "int16", ["Encoder:MaxSequenceLength"] = "32",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_servers_windows_models_and_answers_are_those_of_the_embedded_parts_and_a_trainer_that_dies_is_replaced()
    {
        Requirement.Of(Installation.Missing ?? OnlineRetail.Missing);
        string folder = Directory.CreateTempSubdirectory("beeformer-e2e-").FullName;
        Learned embedded;
        await using (var standalone = new StandaloneProcess(Path.Combine(folder, "embedded"), s_settings))
        {
            await standalone.StartAsync(Token);
            using var client = new ShopClient(standalone.Url);
            embedded = await LearnAsync([client]);
        }

        await using (var installation = new Installation(Path.Combine(folder, "servers"), s_settings))
        {
            installation.Keep(); // its logs say what went wrong
            Say("starting servers and services");
            await installation.StartServersAsync(Token);
            await Task.WhenAll(((string[])["Ingest", "Trainer", "Indexer", "Api"]).Select(project => installation.StartAsync(project, 2, Token)));
            await Task.WhenAll(installation.Services.Select(service => service.ReadyAsync(Token)));
            ShopClient[] clients = [.. installation.Of("Api").Select(api => new ShopClient(api.Url))];
            Learned distributed = await LearnAsync(clients);

            Assert.Equal(embedded.WindowHash, distributed.WindowHash);
            Assert.Equal(embedded.Fingerprint, distributed.Fingerprint);
            Assert.Equal(embedded.Answers.Length, distributed.Answers.Length);
            foreach (var (one, other) in embedded.Answers.Zip(distributed.Answers)) AssertSame(one, other);

            Say("killing a Trainer");
            await TrainerDiesAsync(installation, clients);
            Say("restarting one after the other");
            await RollingRestartAsync(installation);
            Say("starting an Api without the store of objects");
            await ApiStartsAloneAsync(installation);
            foreach (var client in clients) client.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <param name="Answers">Lists of ids with scores, for the same questions.</param>
    private sealed record Learned(string WindowHash, string Fingerprint, (string Id, double Score)[][] Answers);

    /// <summary>A year of purchases, one training, then questions to each Api.</summary>
    private static async Task<Learned> LearnAsync(ShopClient[] clients)
    {
        Say("sending");
        foreach (object[] batch in OnlineRetail.Items().Chunk(1_000)) await clients[0].PutItemsAsync(batch, Token);
        int turn = 0;
        foreach (object[] batch in OnlineRetail.Purchases().Chunk(5_000)) await clients[turn++ % clients.Length].PutEventsAsync(batch, Token);
        Say("landing");
        await clients[0].SettledAsync(Token);
        Say("training");

        JsonNode training = await clients[0].TrainedAsync(await clients[^1].TrainAsync("head", Policy, Token), Token);
        Assert.True((string?)training["state"] == "published", training.ToJsonString());
        string version = (string)training["version"]!;
        JsonNode model = (await clients[0].GetAsync($"/v1/models/{version}", Token))["model"]!;
        foreach (var client in clients) await ServesAsync(client, version);

        Say("asking");
        var answers = new List<(string, double)[]>();
        foreach (var client in clients.Take(1))
        {
            foreach (string text in (string[])["christmas tree decoration", "red retrospot bag", "glass jar for the kitchen", "vintage tea set"])
                answers.Add(Ranked(await client.PostAsync("/v1/search", new { text, k = 20 }, Token)));
            foreach (string item in (string[])["22423", "47566", "20725", "84879"])
                answers.Add(Ranked(await client.GetAsync($"/v1/items/{item}/similar?k=20", Token)));
        }
        if (clients.Length > 1)
            AssertSame(answers[0], Ranked(await clients[1].PostAsync("/v1/search", new { text = "christmas tree decoration", k = 20 }, Token)));
        return new Learned((string)model["window_hash"]!, (string)model["fingerprint"]!, [.. answers]);
    }

    private static Task ServesAsync(ShopClient client, string version) => ChildProcess.UntilAsync(async () =>
        (string?)(await client.PostAsync("/v1/search", new { text = "tree", k = 1 }, Token))["model_version"] == version, $"{client.Url} to serve {version}", Token);

    private static (string Id, double Score)[] Ranked(JsonNode answer) => [.. answer["items"]!.AsArray().Select(item => ((string)item!["item_id"]!, item["score"]!.GetValue<double>()))];

    /// <summary>Same scores in the same order; items may change places where they are as good as equal.</summary>
    private static void AssertSame((string Id, double Score)[] one, (string Id, double Score)[] other)
    {
        Assert.Equal(one.Length, other.Length);
        for (int n = 0; n < one.Length; n++) Assert.Equal(one[n].Score, other[n].Score, 1e-5);
        var scores = other.ToDictionary(item => item.Id, item => item.Score);
        double last = one[^1].Score;
        foreach (var (id, score) in one.Where(item => item.Score > last + 1e-5)) Assert.Equal(score, scores[id], 1e-5);
    }

    /// <summary>In the middle of a training its Trainer is killed, and the broker is away: the other one takes over and begins it anew, and what is asked for next is found without a message.</summary>
    private static async Task TrainerDiesAsync(Installation installation, ShopClient[] clients)
    {
        // Something new, or the window would be the one that was learned from.
        await clients[0].PutEventsAsync(Enumerable.Range(0, 200).Select(n => (object)new { event_id = $"new-{n}", user_id = $"new-{n % 20}", item_id = "22423", type = "purchase", timestamp = 1_323_500_000_000 + n }), Token);
        await clients[0].SettledAsync(Token);
        ServiceProcess[] trainers = [.. installation.Of("Trainer")];
        await trainers[1].StopAsync();
        Guid endless = await clients[0].TrainAsync("head", "seed: 7\nwarm_start: base\nhead_steps: 1000000\n", Token);
        await ChildProcess.UntilAsync(async () => (string?)(await clients[0].GetAsync($"/v1/trainings/{endless}", Token))["phase"] == "train", "the long training to learn", Token);
        await trainers[1].StartAsync(Token);
        await installation.RabbitMq.KillAsync();
        await trainers[0].KillAsync();
        Assert.Equal("interrupted", (string?)(await clients[1].TrainedAsync(endless, Token))["state"]);

        // The other one begins anew what was asked for by hand; to be told to stop, it needs no broker either.
        JsonNode? anew = null;
        await ChildProcess.UntilAsync(async () =>
        {
            anew = (await clients[0].GetAsync("/v1/trainings", Token))["trainings"]!.AsArray().FirstOrDefault(one => (string?)one!["continues"] == endless.ToString());
            return (string?)anew?["phase"] == "train";
        }, $"the training to be begun anew; {anew}", Token);
        await clients[1].PostAsync($"/v1/trainings/{(string)anew!["training_id"]!}/cancel", new { }, Token);
        Assert.Equal("cancelled", (string?)(await clients[1].TrainedAsync(anew["training_id"]!.GetValue<Guid>(), Token))["state"]);

        JsonNode ended = await clients[0].TrainedAsync(await clients[1].TrainAsync("head", Policy, Token), Token);
        Assert.True((string?)ended["state"] is "published" or "refused", ended.ToJsonString());
        if ((string?)ended["version"] is { } version)
            foreach (var client in clients) await ServesAsync(client, version);
        await installation.RabbitMq.StartAsync(Token);
        await trainers[0].StartAsync(Token);
    }

    /// <summary>While the store of objects does not answer, an Api starts with the copy of the model that it has, and gives the same answers.</summary>
    private static async Task ApiStartsAloneAsync(Installation installation)
    {
        ServiceProcess api = installation.Of("Api").First();
        using var client = new ShopClient(api.Url);
        Task<JsonNode> AskAsync() => client.PostAsync("/v1/search", new { text = "red retrospot bag", k = 20 }, Token);
        JsonNode before = await AskAsync();
        await api.KillAsync();
        installation.S3.Pause();
        await api.StartAsync(Token);
        await api.ReadyAsync(Token);
        JsonNode alone = await AskAsync();
        Assert.Equal((string?)before["model_version"], (string?)alone["model_version"]);
        Assert.Equal(Ranked(before), Ranked(alone));
        installation.S3.Resume();
    }

    /// <summary>Every service is stopped and started, one after the other, while a shop asks: no request fails at an Api that is there.</summary>
    private static async Task RollingRestartAsync(Installation installation)
    {
        var available = installation.Of("Api").ToList();
        using var turn = new SemaphoreSlim(1);
        int asked = 0;
        var failures = new List<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task load = Task.Run(async () =>
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!stop.IsCancellationRequested)
            {
                await turn.WaitAsync(Token);
                // As a balancer does: an instance that is going gets nothing new.
                ServiceProcess api = available[asked++ % available.Count];
                try
                {
                    using var answer = await http.GetAsync(new Uri($"{api.Url}/v1/items/22423/similar?k=10"), Token);
                    if (!answer.IsSuccessStatusCode) failures.Add($"{api.Name} answered {answer.StatusCode}");
                }
                catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
                {
                    failures.Add($"{api.Name}: {failure.Message}");
                }
                turn.Release();
                await pace.WaitForNextTickAsync(Token);
            }
        }, Token);
        foreach (ServiceProcess service in installation.Services)
        {
            await turn.WaitAsync(Token);
            available.Remove(service);
            turn.Release();
            Assert.Equal(0, await service.StopAsync());
            await service.StartAsync(Token);
            await service.ReadyAsync(Token);
            await turn.WaitAsync(Token);
            if (service.Project == "Api") available.Add(service);
            turn.Release();
        }
        await stop.CancelAsync();
        await load;
        Assert.Empty(failures);
        Assert.True(asked > 100, $"Only {asked} requests were sent meanwhile.");
    }

    private static void Say(string stage) => TestContext.Current.SendDiagnosticMessage("{0:HH:mm:ss} {1}", TimeProvider.System.GetLocalNow(), stage);
}
