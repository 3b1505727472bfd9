using System.Diagnostics;
using System.Runtime.InteropServices;
using BeeFormer.Streaming.Clocks;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>One holder at a time, whatever happens to it. Each contender has a clock of its own.</summary>
public sealed partial class LeaseTests : IDisposable
{
    private const string Work = "trainer";
    private readonly string folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private readonly LookClock time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As on another machine: file locks are not seen.</summary>
    private Leases Elsewhere(FakeTimeProvider clock) => new(new OtherMachine(new FolderLeaseFiles(folder)), clock);

    private Leases Here(FakeTimeProvider? clock = null) => Leases.InFolder(folder, clock ?? time);

    private static async Task UntilAsync(Func<bool> condition, Action? step = null)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!condition())
        {
            step?.Invoke();
            await pause.WaitForNextTickAsync(Token);
        }
    }

    /// <summary>Time goes on by one look whenever the contender waits for its next one.</summary>
    private static async Task<HeldLease> ResultAsync(Task<HeldLease> waiting, LookClock clock)
    {
        await UntilAsync(() => waiting.IsCompleted, clock.AdvanceIfWaiting);
        return await waiting;
    }

    [Fact]
    public void The_clock_of_tests_goes_by_the_looks_of_the_program() => Assert.Equal(LeaseTimes.Look, LookClock.Look);

    private string Record() => Directory.GetFiles(Path.Combine(folder, Work), "*.json").Max()!;

    [Fact]
    public async Task Of_two_contenders_one_holds_and_the_other_follows_at_once_when_it_gives_back()
    {
        HeldLease first = await Here().AcquireAsync(Work, Token);
        Assert.Null(Here().TryAcquire(Work));
        Assert.Null(Elsewhere(time).TryAcquire(Work));
        Task<HeldLease> waiting = Elsewhere(time).AcquireAsync(Work, Token);
        Assert.False(first.Lost.IsCancellationRequested);
        await first.DisposeAsync();
        Assert.True(first.Lost.IsCancellationRequested); // who still works under it stops
        await using HeldLease second = await ResultAsync(waiting, time);
        Assert.Equal(first.Token + 1, second.Token);
        Assert.Null(Here().TryAcquire(Work));
        await using HeldLease other = await Here().AcquireAsync("indexer", Token); // another work
    }

    [Fact]
    public async Task While_it_is_renewed_nobody_takes_it_over()
    {
        await using HeldLease held = await Here().AcquireAsync(Work, Token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<HeldLease> waiting = Elsewhere(time).AcquireAsync(Work, enough.Token);
        for (int n = 0; n < 40; n++)
        {
            string before = await File.ReadAllTextAsync(Record(), Token);
            time.Advance(LeaseTimes.Renewal);
            await UntilAsync(() => File.ReadAllText(Record()) != before);
        }
        Assert.False(held.Lost.IsCancellationRequested);
        Assert.False(waiting.IsCompleted);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_holder_that_hangs_is_followed_after_the_lease_time_by_the_clock_of_who_watches()
    {
        FakeTimeProvider stopped = new();
        LookClock watching = new(DateTimeOffset.UnixEpoch.AddYears(900));
        HeldLease hung = await Here(stopped).AcquireAsync(Work, Token);
        Task<HeldLease> waiting = Elsewhere(watching).AcquireAsync(Work, Token);
        await using HeldLease next = await ResultAsync(waiting, watching);
        TimeSpan waited = watching.GetUtcNow() - DateTimeOffset.UnixEpoch.AddYears(900);
        Assert.InRange(waited, LeaseTimes.Length, TimeSpan.FromSeconds(30));
        Assert.True(next.Token > hung.Token);

        Assert.False(hung.Lost.IsCancellationRequested); // it hangs still
        stopped.Advance(LeaseTimes.Renewal);
        await UntilAsync(() => hung.Lost.IsCancellationRequested); // it looks first
        string record = await File.ReadAllTextAsync(Record(), Token);
        await hung.DisposeAsync();
        Assert.Equal(record, await File.ReadAllTextAsync(Record(), Token)); // it gives back nothing that is not its own
        Assert.Null(Elsewhere(watching).TryAcquire(Work));
    }

    [Fact]
    public async Task A_holder_that_cannot_renew_stops_before_others_may_take_over()
    {
        var files = new CutOff(new FolderLeaseFiles(folder));
        HeldLease held = await new Leases(files, time).AcquireAsync(Work, Token);
        files.IsCut = true;
        DateTimeOffset start = time.GetUtcNow();
        await UntilAsync(() => held.Lost.IsCancellationRequested, () => time.Advance(TimeSpan.FromMilliseconds(100)));
        Assert.InRange(time.GetUtcNow() - start, LeaseTimes.Sure, LeaseTimes.Sure + TimeSpan.FromSeconds(1));
        Assert.True(LeaseTimes.Sure + TimeSpan.FromSeconds(3) < LeaseTimes.Length);
        await held.DisposeAsync();
    }

    [Fact]
    public async Task A_place_that_cannot_be_reached_is_waited_for()
    {
        var files = new CutOff(new FolderLeaseFiles(folder)) { IsCut = true };
        Task<HeldLease> waiting = new Leases(files, time).AcquireAsync(Work, Token);
        await UntilAsync(() => files.Refused >= 3, time.AdvanceIfWaiting);
        Assert.False(waiting.IsCompleted);
        files.IsCut = false;
        await using HeldLease held = await ResultAsync(waiting, time);
        Assert.Throws<IOException>(() => new Leases(new CutOff(files) { IsCut = true }, time).TryAcquire(Work));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"holder\": ")]
    [InlineData("[]")]
    [InlineData("{\"holder\": 7}")]
    public async Task A_damaged_record_is_watched_like_any_other(string content)
    {
        HeldLease hung = await Here(new FakeTimeProvider()).AcquireAsync(Work, Token);
        await File.WriteAllTextAsync(Record(), content, Token);
        Assert.Null(Here().TryAcquire(Work)); // somebody may hold it
        DateTimeOffset start = time.GetUtcNow();
        await using HeldLease next = await ResultAsync(Here().AcquireAsync(Work, Token), time);
        Assert.InRange(time.GetUtcNow() - start, LeaseTimes.Length, TimeSpan.FromSeconds(30));
        Assert.True(next.Token > hung.Token);
        await hung.DisposeAsync();
    }

    [Fact]
    public async Task Tokens_rise_even_where_somebody_has_removed_the_records()
    {
        HeldLease first = await Here().AcquireAsync(Work, Token);
        await first.DisposeAsync();
        Directory.Delete(Path.Combine(folder, Work), recursive: true);
        time.Advance(TimeSpan.FromMinutes(1));
        await using HeldLease second = await Here().AcquireAsync(Work, Token);
        Assert.True(second.Token > first.Token);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("Trainer")]
    public async Task Names_that_are_no_names_are_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => Here().TryAcquire(name));
        await Assert.ThrowsAsync<ArgumentException>(() => Here().AcquireAsync(name, Token));
    }

    [Fact]
    public async Task Of_many_that_want_it_at_once_one_gets_it()
    {
        for (int round = 0; round < 20; round++)
        {
            HeldLease?[] got = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Here().TryAcquire(Work), Token)));
            await Assert.Single(got.OfType<HeldLease>()).DisposeAsync();
        }
    }

    /// <summary>The time of this test stands still: whoever had to wait would wait for ever.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_holder_that_was_killed_on_this_machine_is_followed_at_once_and_one_that_was_stopped_is_not(bool killed)
    {
        Process child = LeaseTarget.Start(folder);
        try
        {
            await UntilAsync(() => File.Exists(Path.Combine(folder, LeaseTarget.HeldFile)) || child.HasExited);
            Assert.False(child.HasExited);
            Assert.Null(Here().TryAcquire(Work));
            if (killed)
            {
                child.Kill();
                await child.WaitForExitAsync(Token);
                await using HeldLease next = await Here().AcquireAsync(Work, Token);
                Assert.True(next.Token > 1);
                return;
            }
            Assert.Equal(0, SendSignal(child.Id, Stop));
            DateTimeOffset start = time.GetUtcNow();
            Assert.Null(Here().TryAcquire(Work));
            await using HeldLease follower = await ResultAsync(Here().AcquireAsync(Work, Token), time);
            Assert.InRange(time.GetUtcNow() - start, LeaseTimes.Length, TimeSpan.FromSeconds(30));
            Assert.Equal(0, SendSignal(child.Id, Continue));
            await UntilAsync(() => File.Exists(Path.Combine(folder, LeaseTarget.LostFile)) || child.HasExited);
            Assert.True(File.Exists(Path.Combine(folder, LeaseTarget.LostFile)));
        }
        finally
        {
            if (!child.HasExited) child.Kill();
            child.Dispose();
        }
    }

    private const int Stop = 19, Continue = 18; // SIGSTOP, SIGCONT on Linux

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    /// <summary>Sees the same records from another machine.</summary>
    private sealed class OtherMachine(ILeaseFiles files) : ILeaseFiles
    {
        public string Machine => "elsewhere";
        public long Highest(string name) => files.Highest(name);
        public byte[]? Read(string name, long token) => files.Read(name, token);
        public bool TryCreate(string name, long token, byte[] content) => files.TryCreate(name, token, content);
        public bool TryRewrite(string name, long token, byte[] content) => files.TryRewrite(name, token, content);
        public void RemoveBelow(string name, long token) => files.RemoveBelow(name, token);
        public IDisposable? Attend(string name, Guid holder) => null;
        public bool HasEnded(string name, LeaseRecord record) => false;
    }

    /// <summary>A place that cannot be reached for a while.</summary>
    private sealed class CutOff(ILeaseFiles files) : ILeaseFiles
    {
        public bool IsCut { get; set; }
        public int Refused { get; private set; }
        private ILeaseFiles Files
        {
            get
            {
                if (!IsCut) return files;
                Refused++;
                throw new IOException("no route to host");
            }
        }

        public string Machine => "far away";
        public long Highest(string name) => Files.Highest(name);
        public byte[]? Read(string name, long token) => Files.Read(name, token);
        public bool TryCreate(string name, long token, byte[] content) => Files.TryCreate(name, token, content);
        public bool TryRewrite(string name, long token, byte[] content) => Files.TryRewrite(name, token, content);
        public void RemoveBelow(string name, long token) => Files.RemoveBelow(name, token);
        public IDisposable? Attend(string name, Guid holder) => null;
        public bool HasEnded(string name, LeaseRecord record) => false;
    }
}

/// <summary>Runs in the process that is killed or stopped.</summary>
public sealed class LeaseTarget
{
    public const string HeldFile = "held", LostFile = "lost";
    private const string FolderVariable = "BEEFORMER_LEASE_TARGET";

    public static Process Start(string folder)
    {
        // This test assembly is the child.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(LeaseTarget).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(LeaseTarget).FullName}.{nameof(Holds_until_it_is_lost)}");
        start.Environment[FolderVariable] = folder;
        Process child = Process.Start(start)!;
        _ = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        return child;
    }

    [Fact]
    public async Task Holds_until_it_is_lost()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) Assert.Skip("runs only as the child of another test");
        await using HeldLease held = await Leases.InFolder(folder, TimeProvider.System).AcquireAsync("trainer", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, HeldFile), "", TestContext.Current.CancellationToken);
        var lost = new TaskCompletionSource();
        await using (held.Lost.Register(lost.SetResult)) await lost.Task;
        await File.WriteAllTextAsync(Path.Combine(folder, LostFile), "", TestContext.Current.CancellationToken);
    }
}
