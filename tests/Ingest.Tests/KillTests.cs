using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A process that sends, lands, compacts and erases is killed again and again; afterwards everything is compared with what it sent, event by event.</summary>
public sealed class KillTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-kill-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 600_000)]
    public Task Killed_at_each_step_nothing_is_lost_and_nothing_doubled() => KillAsync(seed: 1, [.. KillStep.All, .. Enumerable.Repeat(KillStep.AnyMoment, 4)]);

    [Fact(Explicit = true)]
    public Task Killed_at_two_hundred_moments_nothing_is_lost_and_nothing_doubled() =>
        KillAsync(seed: 2, [.. Enumerable.Range(0, 220).Select(n => n % 2 == 0 ? KillStep.AnyMoment : KillStep.All[n / 2 % KillStep.All.Length])]);

    private async Task KillAsync(int seed, IReadOnlyList<string> steps)
    {
        var random = new Random(seed);
        foreach (string step in steps) await KillAsync(step, random);
        await LandRestAsync();
        Verify();
    }

    private async Task KillAsync(string step, Random random)
    {
        // This test assembly is the child: see KillTarget.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(KillTarget).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(KillTarget).FullName}.{nameof(KillTarget.Sends_and_lands_until_it_is_killed)}");
        start.Environment[KillTarget.FolderVariable] = _folder;
        start.Environment[KillTarget.StepVariable] = string.Create(CultureInfo.InvariantCulture, $"{step}:{random.Next(1, 6)}");
        int sentBefore = SentLines(_folder);
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(Token);
        var errors = child.StandardError.ReadToEndAsync(Token);
        try
        {
            if (step == KillStep.AnyMoment) await WaitForBatchesAsync(child, sentBefore + random.Next(1, 120));
            else await child.WaitForExitAsync(Token);
        }
        finally
        {
            child.Kill();
        }
        await child.WaitForExitAsync(Token);
        Assert.True(child.ExitCode == 137, $"killed at '{step}', the child ended with {child.ExitCode}: {await output} {await errors}"); // 128 + SIGKILL
    }

    private async Task WaitForBatchesAsync(Process child, int lines)
    {
        using var watcher = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (SentLines(_folder) < lines)
        {
            if (child.HasExited) return;
            await watcher.WaitForNextTickAsync(Token);
        }
    }

    private static int SentLines(string folder)
    {
        string path = Path.Combine(folder, SentEvents.FileName);
        return File.Exists(path) ? (int)(new FileInfo(path).Length / SentEvents.LineBytes) : 0;
    }

    private async Task LandRestAsync()
    {
        using var host = KillTarget.Host(_folder, step: null);
        await host.StartAsync(Token);
        var log = host.Services.GetRequiredService<IEventLog>();
        var windows = host.Services.GetRequiredService<IWindowStore>();
        // In doubt: the tombstones of a batch that the child did not live to see through.
        await SentEvents.Of(_folder).SendTombstonesInDoubtAsync(log, Token);
        using var watcher = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (int partition = 0; partition < KillTarget.Partitions; partition++)
        {
            long end = await log.EndOffsetAsync(Topics.Interactions, partition, Token);
            while (windows.NextOffset(Topics.Interactions, partition) < end) await watcher.WaitForNextTickAsync(Token);
        }
        await host.StopAsync(Token);
    }

    private void Verify()
    {
        var sent = SentEvents.Of(_folder);
        using var host = KillTarget.Host(_folder, step: null);
        var landed = LandedRows.Read(Path.Combine(_folder, "windows"));
        Assert.Equal(landed.Count, landed.Select(row => (row.Partition, row.Offset)).Distinct().Count());
        Assert.Equal(landed.Count, landed.Select(row => row.Item).Distinct().Count());

        var items = landed.Select(row => row.Item).ToHashSet();
        Assert.Empty(sent.Certain.Except(items));
        Assert.Empty(items.Except(sent.Possible));

        var letters = DeadLettersAsync(host.Services.GetRequiredService<IEventLog>()).GetAwaiter().GetResult();
        Assert.Empty(sent.CertainPoison.Except(letters));
        Assert.Empty(letters.Except(sent.PossiblePoison));

        var profiles = host.Services.GetRequiredService<IProfiles>();
        foreach (var user in landed.GroupBy(row => row.User))
            Assert.Equal(user.OrderByDescending(row => row.Offset).Take(200).Select(row => row.Item),
                profiles.GetAsync(new UserId(user.Key), Token).AsTask().GetAwaiter().GetResult().Select(interaction => interaction.Item.Value));
        Assert.NotEmpty(sent.Erased);
    }

    private static async Task<HashSet<string>> DeadLettersAsync(IEventLog log)
    {
        var letters = new HashSet<string>();
        for (int partition = 0; partition < KillTarget.Partitions; partition++)
        {
            long end = await log.EndOffsetAsync(Topics.DeadLetters, partition, Token);
            for (long next = 0; next < end;)
            {
                await using var subscription = log.Subscribe(Topics.DeadLetters, "test", p => p == partition ? next : log.EndOffsetAsync(Topics.DeadLetters, p, Token).AsTask().GetAwaiter().GetResult());
                using var batch = await subscription.ReadAsync(1000, Token);
                next = batch.NextOffset;
                foreach (var message in batch)
                {
                    if (message.Value is not { } value) continue; // the letter is done
                    Assert.True(DeadLetterJson.TryRead(value, out var letter));
                    letters.Add(System.Text.Encoding.UTF8.GetString(letter.Value!));
                }
            }
        }
        return letters;
    }
}
