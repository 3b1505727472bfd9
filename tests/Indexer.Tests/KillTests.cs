using System.Diagnostics;
using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>A process that changes items, publishes models and indexes is killed again and again on the same folder; after each time the index is compared with the log, item by item.</summary>
public sealed class KillTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-indexer-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 600_000)]
    public Task Killed_at_each_step_the_index_is_what_the_log_says() => KillAsync(seed: 1, [.. KillTarget.Steps, KillTarget.AnyMoment, KillTarget.AnyMoment], TestContext.Current.CancellationToken);

    [Fact(Explicit = true)]
    public Task Killed_at_a_hundred_moments_the_index_is_what_the_log_says() =>
        KillAsync(seed: 2, [.. Enumerable.Range(0, 100).Select(n => n % 2 == 0 ? KillTarget.AnyMoment : KillTarget.Steps[n / 2 % KillTarget.Steps.Length])], TestContext.Current.CancellationToken);

    /// <summary>A variant is pinned to the first model, and not, and is again.</summary>
    [Fact(Timeout = 600_000)]
    public Task Killed_with_a_pinned_model_its_alias_names_what_the_log_says_or_nothing() => KillAsync(seed: 3,
        [
            KillTarget.AnyMoment, SteppedIndex.Before(nameof(IVectorIndex.PointAliasAsync)), SteppedIndex.After(nameof(IVectorIndex.PointAliasAsync)), SteppedIndex.After(nameof(IVectorIndex.LoadAsync)),
            SteppedIndex.After(nameof(IVectorIndex.UpsertAsync)), SteppedIndex.Before(nameof(IVectorIndex.UpsertAsync)), KillTarget.AnyMoment, KillTarget.AnyMoment,
        ], TestContext.Current.CancellationToken, pins: true);

    private async Task KillAsync(int seed, IReadOnlyList<string> steps, CancellationToken cancellationToken, bool pins = false)
    {
        var random = new Random(seed);
        for (int n = 0; n < steps.Count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await KillAsync(steps[n], random, pinned: pins && n % 4 != 3);
            await VerifyAsync(pinned: pins && n % 3 != 2);
        }
    }

    private async Task KillAsync(string step, Random random, bool pinned)
    {
        // This test assembly is the child: see KillTarget.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(KillTarget).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(KillTarget).FullName}.{nameof(KillTarget.Changes_and_indexes_until_it_is_killed)}");
        start.Environment[KillTarget.FolderVariable] = _folder;
        start.Environment[KillTarget.SeedVariable] = random.Next(1_000_000).ToString(CultureInfo.InvariantCulture);
        start.Environment[KillTarget.StepVariable] = string.Create(CultureInfo.InvariantCulture, $"{step}:{random.Next(1, 6)}");
        start.Environment[KillTarget.PinVariable] = pinned ? "1" : "0";
        long before = Rounds();
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(Token);
        var errors = child.StandardError.ReadToEndAsync(Token);
        try
        {
            if (step == KillTarget.AnyMoment)
            {
                long enough = before + random.Next(1, 40);
                await IndexerUnderTest.UntilAsync(() => Task.FromResult(child.HasExited || Rounds() >= enough));
            }
            else await child.WaitForExitAsync(Token);
        }
        finally
        {
            child.Kill();
        }
        await child.WaitForExitAsync(Token);
        Assert.True(child.ExitCode == 137, $"killed at '{step}', the child ended with {child.ExitCode}: {await output} {await errors}"); // 128 + SIGKILL
    }

    private long Rounds()
    {
        var file = new FileInfo(Path.Combine(_folder, KillTarget.RoundsFile));
        return file.Exists ? file.Length : 0;
    }

    private async Task VerifyAsync(bool pinned)
    {
        using var host = KillTarget.Host(_folder, step: null, pinned);
        await host.StartAsync(Token);
        var log = host.Services.GetRequiredService<IEventLog>();
        var index = host.Services.GetRequiredService<IVectorIndex>();
        var models = host.Services.GetRequiredService<IModelStore>();
        if (models.Live is null) KillTarget.GoLive(models, '0');
        var live = models.Find(models.Live!.Value)!.Model.Fingerprint;
        string collection = $"items-{live.Short}";
        await IndexerUnderTest.UntilAsync(async () => (await index.ResolveAliasAsync("items", Token))?.Collection == collection);
        string alias = $"items.{KillTarget.Pinned}";
        if (pinned) await IndexerUnderTest.UntilAsync(async () => (await index.ResolveAliasAsync(alias, Token))?.Collection == "items-00000000");
        await KillTarget.CommittedAsync(log, behind: 0);
        Assert.Equal(pinned ? ["items", alias] : ["items"], (await index.AliasesAsync(Token)).Order(StringComparer.Ordinal));

        var expected = new Dictionary<ItemId, (long Revision, string Title, bool Available, string Size)>();
        long end = await log.EndOffsetAsync(Topics.Items, 0, Token);
        await using var subscription = log.Subscribe(Topics.Items, "test", _ => 0);
        for (long next = 0; next < end;)
        {
            using var batch = await subscription.ReadAsync(1000, Token);
            next = batch.NextOffset;
            foreach (var message in batch)
                if (message.Value is null) expected.Remove(new ItemId(Encoding.UTF8.GetString(message.Key.Span)));
                else
                {
                    Assert.True(ItemMessage.TryRead(message, TimeSpan.FromMinutes(5), out var item, out _));
                    expected[item.ItemId] = (message.Offset, item.Title, item.Available, item.Attributes["size"].GetRawText());
                }
        }
        await CompareAsync(collection, live);
        if (pinned) await CompareAsync("items-00000000", new Fingerprint(new string('0', 64)));
        await host.StopAsync(Token);

        async Task CompareAsync(string collection, Fingerprint model)
        {
            var found = (await index.ScrollAsync(collection, ItemFilter.None, null, 10_000, Token)).ToDictionary(item => item.Id);
            Assert.Equal(expected.Keys.Order(), found.Keys.Order());
            foreach (var (id, item) in expected)
            {
                Assert.Equal((id, item), (id, (found[id].Revision, found[id].Title, found[id].Available, found[id].Attributes["size"].GetRawText())));
                Assert.Equal(FakeModel.Embed(model, item.Title), found[id].Vector, (left, right) => Math.Abs(left - right) < 1e-5);
            }
        }
    }
}
