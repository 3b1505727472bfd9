using System.Text;
using BeeFormer.Streaming.ModelStore.S3;
using BeeFormer.Streaming.WindowStore.Tests;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>Leases of works on S3: one holder at a time, each on a machine of its own.</summary>
public sealed class S3LeaseTests(S3Server server) : IDisposable
{
    private const string Work = "trainer";
    private readonly BucketPlace place = new(server);
    public void Dispose() => place.Dispose();

    private static async Task UntilAsync(Func<bool> condition, Action? step = null)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!condition())
        {
            step?.Invoke();
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Of_many_that_want_it_at_once_one_gets_it_and_gives_it_back()
    {
        long before = 0;
        for (int round = 0; round < 3; round++)
        {
            HeldLease?[] got = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => place.OpenLeases(TimeProvider.System).TryAcquire(Work), TestContext.Current.CancellationToken)));
            HeldLease held = Assert.Single(got.OfType<HeldLease>());
            Assert.True(held.Token > before);
            before = held.Token;
            Assert.Null(place.OpenLeases(TimeProvider.System).TryAcquire(Work));
            await held.DisposeAsync(); // the next one need not wait
        }
        Assert.Single(place.Reach().Leases.List("holders/"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_holder_that_hangs_is_followed_after_the_lease_time_and_gives_back_nothing_that_is_not_its_own()
    {
        FakeTimeProvider stopped = new(), watching = new();
        HeldLease hung = await place.OpenLeases(stopped).AcquireAsync(Work, TestContext.Current.CancellationToken);
        DateTimeOffset start = watching.GetUtcNow();
        Task<HeldLease> waiting = place.OpenLeases(watching).AcquireAsync(Work, TestContext.Current.CancellationToken);
        await UntilAsync(() => waiting.IsCompleted, () => watching.Advance(TimeSpan.FromMilliseconds(200)));
        await using HeldLease next = await waiting;
        Assert.True(watching.GetUtcNow() - start >= LeaseTimes.Length);
        Assert.True(next.Token > hung.Token);
        Assert.False(hung.Lost.IsCancellationRequested); // it hangs still
        stopped.Advance(LeaseTimes.Renewal);
        await UntilAsync(() => hung.Lost.IsCancellationRequested); // it looks first
        await hung.DisposeAsync();
        Assert.Null(place.OpenLeases(TimeProvider.System).TryAcquire(Work));
    }

    [Fact(Timeout = 120_000)]
    public async Task While_it_is_renewed_nobody_takes_it_over()
    {
        FakeTimeProvider time = new();
        await using HeldLease held = await place.OpenLeases(time).AcquireAsync(Work, TestContext.Current.CancellationToken);
        var files = new S3LeaseFiles(place.Reach().Leases);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<HeldLease> waiting = place.OpenLeases(time).AcquireAsync(Work, enough.Token);
        for (int n = 0; n < 10; n++)
        {
            byte[] before = files.Read(Work, held.Token)!;
            time.Advance(LeaseTimes.Renewal);
            await UntilAsync(() => !files.Read(Work, held.Token)!.AsSpan().SequenceEqual(before));
        }
        Assert.False(held.Lost.IsCancellationRequested);
        Assert.False(waiting.IsCompleted);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_call_about_a_lease_is_made_twice_and_a_lost_answer_loses_no_lease()
    {
        var files = new S3LeaseFiles(place.Reach().Leases);
        await place.Fail("PUT", "holders/", "lost"); // the repetition finds the record and knows it
        Assert.True(files.TryCreate(Work, 1, "a"u8.ToArray()));
        await place.Fail("PUT", "holders/", "lost", "503", "503"); // done, and nobody knows; where a connection breaks that was used before, the runtime repeats by itself
        Assert.Throws<IOException>(() => files.TryRewrite(Work, 1, "b"u8.ToArray()));
        Assert.Equal("b", Encoding.UTF8.GetString(files.Read(Work, 1)!));
        await place.Requests();
        await place.Fail("PUT", "holders/", "503", "503");
        Assert.Contains("Models:Uri", Assert.Throws<IOException>(() => files.TryRewrite(Work, 1, "x"u8.ToArray())).Message, StringComparison.Ordinal);
        Assert.Equal(2, (await place.Requests()).Count(request => request.StartsWith("PUT", StringComparison.Ordinal)));
        Assert.True(files.TryRewrite(Work, 1, "c"u8.ToArray()));
        Assert.Equal("c", Encoding.UTF8.GetString(files.Read(Work, 1)!));
        Assert.False(new S3LeaseFiles(place.Reach().Leases).TryCreate(Work, 1, "d"u8.ToArray()));
        files.RemoveBelow(Work, 2);
        Assert.False(files.TryRewrite(Work, 1, "e"u8.ToArray())); // it is gone: there is a higher one
        Assert.Null(files.Read(Work, 1));
    }

    [Fact]
    public void A_record_that_is_no_record_is_watched_like_any_other()
    {
        S3Objects objects = place.Reach().Leases;
        objects.Put($"holders/{Work}/00000000000000000007.json", new byte[100_000]);
        objects.Put($"holders/{Work}/other.json", "x"u8.ToArray());
        var files = new S3LeaseFiles(objects);
        Assert.Equal((7, 0), (files.Highest(Work), files.Read(Work, 7)!.Length));
        Assert.Null(place.OpenLeases(TimeProvider.System).TryAcquire(Work)); // somebody may hold it
    }

    /// <summary>All attempts of a renewal together leave room for another one before the lease is given up.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_call_that_hangs_is_given_up_in_time_for_the_next_renewal()
    {
        var time = new WaitedForClock();
        S3Location location = server.NewLocation();
        using var reach = new S3Place(S3Client.Create(server.Options, S3Server.Credentials), location, time); // with the limits that a program has
        var files = new S3LeaseFiles(reach.Leases);
        files.TryCreate(Work, 1, "a"u8.ToArray());
        await server.FailAsync(("GET", $"/{location.Bucket}/", "hang"), ("GET", $"/{location.Bucket}/", "hang"));
        await server.RequestsAsync(location); // so far
        time.TakeWait();
        DateTimeOffset start = time.GetUtcNow();
        Task<Exception?> looking = Task.Run(() => Record.Exception(() => files.Highest(Work)), TestContext.Current.CancellationToken);
        int asked = 0, attempts = 0;
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!looking.IsCompleted)
        {
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            asked += (await server.RequestsAsync(location)).Count;
            if (time.Wait is not { } wait) continue;
            if (wait >= TimeSpan.FromSeconds(1) && asked <= attempts) continue; // the limit of an attempt that has not reached the server
            if (wait >= TimeSpan.FromSeconds(1)) attempts++;
            time.TakeWait();
            time.Advance(wait);
        }
        Assert.Equal((2, 2), (asked, attempts));
        Assert.IsType<IOException>(await looking);
        TimeSpan given = time.GetUtcNow() - start;
        Assert.InRange(given, TimeSpan.FromSeconds(3), LeaseTimes.Renewal);
    }
}
