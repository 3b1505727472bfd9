using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>From the poison to its return, on the folder and through a running server.</summary>
[Collection("Pipeline")]
public sealed class DeadLettersCommandTests : IDisposable
{
    private static readonly byte[] Bytes = [0xFF, 0x1B, .. "[2J not for the terminal"u8];

    private readonly Files files = new();
    private readonly string data;

    public DeadLettersCommandTests()
    {
        data = Path.Combine(files.Folder, "data");
        ModelFolder.Make(data);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Poison_is_listed_shown_and_lands_once_when_it_can_be_read(bool served)
    {
        await PoisonAsync();
        StandaloneHost? host = await ServeAsync();
        await LandAsync(host);
        Assert.Equal(0, host.Pipeline.Windows.Describe().Interactions);
        if (!served)
        {
            await host.DisposeAsync();
            host = null;
        }
        string asked = served ? $"Server {host!.Urls.Single()}" : $"Data folder {data} (no server works on it)";

        Tool.Result list = await RunAsync("list");
        Assert.StartsWith(asked, list.Output, StringComparison.Ordinal);
        Assert.Contains("3 of 3 letters that match; there are 3 in all.", list.Output, StringComparison.Ordinal);
        Assert.Contains("--after interactions/0/0", (await RunAsync("list", "--limit", "1")).Output, StringComparison.Ordinal);
        Assert.Equal(["items/0/0"], Ids(await RunAsync("list", "--after", "interactions/0/1", "--json")));
        Assert.Equal(["interactions/0/0"], Ids(await RunAsync("list", "--where", "reason=future_timestamp", "--where", "topic=interactions", "--json")));

        Tool.Result show = await RunAsync("show", "interactions/0/1");
        Assert.Contains("ff 1b 5b 32 4a", show.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u001B', show.Output);
        Assert.Contains("\"item_id\":\"early\"", (await RunAsync("show", "interactions/0/0")).Output, StringComparison.Ordinal);
        JsonElement letter = JsonSerializer.Deserialize<JsonElement>((await RunAsync("show", "interactions/0/1", "--json")).Output);
        Assert.Equal(Bytes, letter.GetProperty("value").GetBytesFromBase64());

        Assert.Contains("1 would be replayed, 0 superseded, 2 still unreadable, 0 unknown.", (await RunAsync("replay", "--all", "--dry-run")).Output, StringComparison.Ordinal);
        Assert.Contains("1 replayed, 0 superseded, 0 still unreadable, 0 unknown.", (await RunAsync("replay", "--where", "reason=future_timestamp")).Output, StringComparison.Ordinal);
        Assert.Contains("0 replayed, 0 superseded, 0 still unreadable, 1 unknown.", (await RunAsync("replay", "interactions/0/0")).Output, StringComparison.Ordinal);
        Assert.Equal(["interactions/0/1", "items/0/0"], Ids(await RunAsync("list", "--json")));

        host ??= await ServeAsync();
        await LandAsync(host);
        Assert.Equal(1, host.Pipeline.Windows.Describe().Interactions);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_server_the_log_is_opened_as_the_configuration_has_it()
    {
        await PoisonAsync(partitions: 2);
        using EndToEnd.Program list = EndToEnd.Program.Start([("EventLog__Partitions", "2")], ["dead-letters", "list", "--data", data]);
        await list.EndAsync();
        Assert.Contains("there are 0 in all", list.Said, StringComparison.Ordinal); // nothing has read the poison yet

        using EndToEnd.Program kafka = EndToEnd.Program.Start([("Kafka__BootstrapServers", "127.0.0.1:1"), ("Kafka__GroupProtocol", "none")], ["dead-letters", "list", "--data", data]);
        var failure = await Assert.ThrowsAnyAsync<Exception>(kafka.EndAsync);
        Assert.Contains("Kafka:GroupProtocol", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_must_be_clear_which_letters_are_meant()
    {
        await Tool.RefuseAsync(["dead-letters", "replay", "--data", data], "Nothing says which letters to replay", "--all");
        await Tool.RefuseAsync(["dead-letters", "replay", "--all", "--where", "topic=items", "--data", data], "exclude one another");
        await Tool.RefuseAsync(["dead-letters", "replay", "--where", "colour=red", "--data", data], "--where is colour=red", "reason=CODE");
        await Tool.RefuseAsync(["dead-letters", "replay", "17", "--data", data], "17 is no dead letter's id");
        await Tool.RefuseAsync(["dead-letters", "list", "--limit", "1001", "--data", data], "--limit is 1001; expected at most 1000");
        Assert.Equal(1, (await Tool.RunAsync("dead-letters", "list", "--limit", "many", "--data", data)).ExitCode);
        await Tool.RefuseAsync(["dead-letters", "show", "items/0/9", "--data", data], "no dead letter items/0/9");
        await Tool.RefuseAsync(["dead-letters", "list", "--data", Path.Combine(files.Folder, "absent")], "no data folder");
        Assert.Contains("there are 0 in all", (await RunAsync("list")).Output, StringComparison.Ordinal);
    }

    private Task<Tool.Result> RunAsync(params string[] args) => Tool.SucceedAsync(["dead-letters", .. args, "--data", data]);

    private static IEnumerable<string> Ids(Tool.Result list) =>
        JsonSerializer.Deserialize<JsonElement>(list.Output).GetProperty("letters").EnumerateArray().Select(letter => letter.GetProperty("id").GetString()!);

    private Task<StandaloneHost> ServeAsync() => StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, ManualTraining.Settings, Token);

    private static async Task LandAsync(StandaloneHost host)
    {
        foreach (string topic in new[] { Topics.Interactions, Topics.Items }) await host.Pipeline.WaitUntilLandedAsync(topic, null, Token);
    }

    /// <summary>In the year 2020 somebody's clock is a year ahead; by now its event is none of the future.</summary>
    private async Task PoisonAsync(int partitions = 1)
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(new StandingClock(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)))
            .AddEmbeddedEventLog(Path.Combine(data, "log"), new EventLog.Embedded.EmbeddedEventLogOptions { Partitions = partitions }).BuildServiceProvider();
        var log = services.GetRequiredService<IEventLog>();
        await log.AppendAsync(Topics.Interactions,
            [new LogRecord("u"u8.ToArray(), """{"user_id":"u","item_id":"early","type":"view","timestamp":"2021-01-01T00:00:00Z"}"""u8.ToArray()), new LogRecord("v"u8.ToArray(), Bytes)], Token);
        await log.AppendAsync(Topics.Items, [new LogRecord("i"u8.ToArray(), Encoding.UTF8.GetBytes("{}"))], Token);
    }

    private sealed class StandingClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
