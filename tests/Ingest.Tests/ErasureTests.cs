using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>An erased user leaves nothing in any store nor in the log, on the stores as they are used; others lose nothing.</summary>
public sealed class ErasureTests : IDisposable
{
    private const string Gone = "user-to-forget", Other = "user-who-stays";

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-erasing-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Timeout = 120_000)]
    [InlineData(false)] // the user's events are read together with the request
    [InlineData(true)] // they lie in every store by then
    public async Task An_erased_user_leaves_no_byte_and_others_stay_as_they_were(bool landed)
    {
        using (IHost host = ErasureHost.Of(_folder, null))
        {
            if (landed) await host.StartAsync(Token);
            await ErasureHost.FillAsync(host, Gone, Other, Token, async () =>
            {
                if (!landed) return;
                await ErasureHost.LandedAsync(host, Token);
                await host.Services.GetRequiredService<IProfiles>().FlushAsync(Token);
                Assert.NotEmpty(ErasureHost.FilesHolding(Path.Combine(_folder, "profiles"), Gone)); // of other folders files may be open, for writing alone
                Assert.NotEmpty(host.Services.GetRequiredService<IWindowStore>().FindUser(new UserId(Gone)));
            });
            if (!landed) await host.StartAsync(Token);
            await ErasureHost.UntilErasedAsync(host, Gone, Token);
            await ErasureHost.CheckAsync(host, Gone, Other, Token);
            await host.StopAsync(Token);
        }
        Assert.Empty(ErasureHost.FilesHolding(_folder, Gone));
    }

    [Fact(Timeout = 120_000)]
    public async Task Late_events_from_before_the_request_stay_out_and_newer_ones_come_in()
    {
        using IHost host = ErasureHost.Of(_folder, null);
        await ErasureHost.FillAsync(host, Gone, Other, Token);
        await host.StartAsync(Token);
        await ErasureHost.UntilErasedAsync(host, Gone, Token);

        var log = host.Services.GetRequiredService<IEventLog>();
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await log.AppendAsync(Topics.Interactions, [ErasureHost.By(Gone, "late", 1_700_000_000_000), ErasureHost.By(Other, "late", 1_700_000_000_000)], Token);
        await ErasureHost.UntilErasedAsync(host, Gone, Token);
        await ErasureHost.CheckAsync(host, Gone, Other, Token, more: 1);

        await log.AppendAsync(Topics.Interactions, [ErasureHost.By(Gone, "back", now + 60_000)], Token);
        await ErasureHost.LandedAsync(host, Token);
        Assert.Equal("back", Assert.Single(await host.Services.GetRequiredService<IProfiles>().GetAsync(new UserId(Gone), Token)).Item.Value);
        Assert.Equal([new UserId(Gone), new UserId(Other)], host.Services.GetRequiredService<IWindowStore>().Read(new WindowQuery()).Users);
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task Messages_that_a_stopped_process_left_in_the_log_go_at_the_next_start()
    {
        using (IHost host = ErasureHost.Of(_folder, null))
        {
            await ErasureHost.FillAsync(host, Gone, Other, Token);
            await host.StartAsync(Token);
            await ErasureHost.LandedAsync(host, Token);
            await host.StopAsync(Token); // perhaps before the log's turn came
        }
        using (IHost host = ErasureHost.Of(_folder, null))
        {
            await host.StartAsync(Token);
            await ErasureHost.UntilErasedAsync(host, Gone, Token);
            await ErasureHost.CheckAsync(host, Gone, Other, Token);
            await host.StopAsync(Token);
        }
        Assert.Empty(ErasureHost.FilesHolding(_folder, Gone));
    }
}
