using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Chaos;

/// <summary>What was sent against what is there, when all is mended and quiet.</summary>
internal sealed class Verdict
{
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public void Check(bool holds, string sentence)
    {
        Console.WriteLine($"{(holds ? "  ok " : "FAIL ")} {sentence}");
        if (!holds) _problems.Add(sentence);
    }

    public async Task CompareAsync(Installation installation, Shop shop, string scratch, CancellationToken cancellationToken)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(installation.Settings.Where(setting => setting.Key.Contains(':', StringComparison.Ordinal))).Build();
        foreach (string name in (string[])["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) Environment.SetEnvironmentVariable(name, installation.Settings[name]);
        var services = new ServiceCollection().AddSingleton(configuration).AddSingleton(TimeProvider.System).AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole()).AddMetrics();
        services.AddEventLog(configuration, "").AddProfiles(configuration, "").AddVectorIndex(configuration, "").AddWindowStore(scratch);
        await using ServiceProvider provider = services.BuildServiceProvider();

        LogTruth truth = await LogTruth.ReadAsync(provider.GetRequiredService<IEventLog>(), cancellationToken);
        string[] lost = [.. shop.Acknowledged.Where(id => !truth.Events.ContainsKey(id))];
        Check(lost.Length == 0, $"{shop.Acknowledged.Count} acknowledged events, {lost.Length} of them not in the log ({truth.Interactions} messages, {truth.Events.Count} different events)");
        CompareWindow(provider.GetRequiredService<IWindowStore>(), truth);
        await CompareProfilesAsync(provider.GetRequiredService<IProfiles>(), provider.GetRequiredService<ProfilesOptions>().InteractionsPerUser, truth, cancellationToken);
        await CompareIndexAsync(provider.GetRequiredService<IVectorIndex>(), truth, cancellationToken);
    }

    private void CompareWindow(IWindowStore store, LogTruth truth)
    {
        InteractionWindow window = store.Read(new WindowQuery());
        var landed = Enumerable.Range(0, window.Count).Select(n => (window.Users[window.User[n]].Value, window.Items[window.Item[n]].Value, window.TimestampMs[n])).CountBy(row => row).ToDictionary();
        var expected = truth.Events.Values.CountBy(row => row).ToDictionary();
        int missing = expected.Count(row => !landed.TryGetValue(row.Key, out int count) || count < row.Value), doubled = landed.Count(row => row.Value > expected.GetValueOrDefault(row.Key));
        Check(missing == 0 && doubled == 0, $"{window.Count} events in the window: {missing} missing, {doubled} doubled");
        var next = store.NextOffsets("interactions");
        Check(next.Values.Sum() >= truth.Interactions, $"segments cover {next.Values.Sum()} offsets of {truth.Interactions} messages");
    }

    private async Task CompareProfilesAsync(IProfiles profiles, int most, LogTruth truth, CancellationToken cancellationToken)
    {
        int users = 0, wrong = 0;
        foreach (var user in truth.Events.GroupBy(one => one.Value.User))
        {
            users++;
            string[] expected = [.. user.OrderByDescending(one => one.Value.Ms).Take(most).Select(one => one.Key)];
            var held = await profiles.GetAsync(new UserId(user.Key), cancellationToken);
            if (!held.Select(one => one.EventId).SequenceEqual(expected)) wrong++;
        }
        Check(wrong == 0, $"{users} profiles: {wrong} are not the newest {most} events of their users");
    }

    private async Task CompareIndexAsync(IVectorIndex index, LogTruth truth, CancellationToken cancellationToken)
    {
        AliasTarget? alias = await index.ResolveAliasAsync("items", cancellationToken);
        if (alias is null)
        {
            Check(false, "alias items names a collection");
            return;
        }
        var items = new Dictionary<string, IndexedItem>();
        ItemId? after = null;
        while (true)
        {
            var page = await index.ScrollAsync(alias.Collection, ItemFilter.None, after, 1_000, cancellationToken);
            foreach (IndexedItem item in page) items[item.Id.Value] = item;
            if (page.Count < 1_000) break;
            after = page[^1].Id;
        }
        var expected = truth.Items.Where(item => item.Value.Title is not null).ToDictionary();
        int missing = expected.Keys.Count(id => !items.ContainsKey(id)), deleted = items.Keys.Count(id => !expected.ContainsKey(id));
        int old = items.Values.Count(item => expected.TryGetValue(item.Id.Value, out var newest) && (item.Revision != newest.Offset || item.Title != newest.Title));
        Check(missing == 0 && deleted == 0 && old == 0, $"{items.Count} items in {alias.Collection}: {missing} missing, {deleted} deleted ones present, {old} not at their newest revision");
    }
}
