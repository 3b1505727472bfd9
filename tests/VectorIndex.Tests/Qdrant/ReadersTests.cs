using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Readers and the one who drops collections, each in a process of its own.</summary>
public sealed class ReadersTests : IAsyncLifetime
{
    private static readonly CollectionInfo Items = new("items-aaaaaaaa", 3, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider time = new(Start), serversTime = new(Start);
    private readonly CountingTime readersTime = new(Start);
    private FakeQdrantServer server = null!;
    private QdrantVectorIndex index = null!, reader = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync(new() { Time = serversTime });
        index = QdrantFixture.Index(server, time);
        reader = QdrantFixture.Index(server, readersTime);
        await index.CreateAsync(Items, Token);
    }

    public async ValueTask DisposeAsync()
    {
        index.Dispose();
        reader.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_collection_stays_while_another_process_reads_from_it()
    {
        var hold = await reader.HoldAsync(Items.Name, Token);
        Assert.False(await index.DropAsync(Items.Name, Token));
        await hold.DisposeAsync();
        Assert.True(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task A_reader_that_lives_renews_its_hold()
    {
        await using var hold = await reader.HoldAsync(Items.Name, Token);
        for (int minute = 1; minute <= 12; minute++)
        {
            await QdrantFixture.UntilAsync(() => readersTime.Timers == minute); // it waits for the next renewal
            time.Advance(TimeSpan.FromMinutes(1));
            readersTime.Advance(TimeSpan.FromMinutes(1));
        }
        await QdrantFixture.UntilAsync(() => readersTime.Timers == 13);
        Assert.Equal(13, server.Attempts("Collections/UpdateAliases"));
        Assert.False(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task A_reader_that_died_holds_for_five_minutes()
    {
        await reader.HoldAsync(Items.Name, Token); // its clock stands still: nothing renews it
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.False(await index.DropAsync(Items.Name, Token));
        time.Advance(TimeSpan.FromMinutes(0.2));
        Assert.True(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task What_dead_readers_left_is_removed_by_the_next()
    {
        await reader.HoldAsync(Items.Name, Token);
        time.Advance(TimeSpan.FromMinutes(6));
        await using var hold = await index.HoldAsync(Items.Name, Token);
        var changes = global::Qdrant.Client.Grpc.ChangeAliases.Parser.ParseFrom(server.Calls.Last(call => call.Method == "Collections/UpdateAliases").Request.Span);
        Assert.Equal(["CreateAlias", "DeleteAlias"], changes.Actions.Select(action => action.ActionCase.ToString()));
    }

    [Fact]
    public async Task Who_comes_while_a_collection_is_being_dropped_is_turned_away()
    {
        var fault = server.Inject(new Fault { Method = "Collections/Delete", Status = StatusCode.PermissionDenied });
        await Assert.ThrowsAsync<IOException>(async () => await index.DropAsync(Items.Name, Token)); // as if it had crashed before the last step
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await reader.HoldAsync(Items.Name, Token));
        server.Heal(fault);
        readersTime.Advance(TimeSpan.FromMinutes(2)); // whoever wanted to drop it is no more
        await using var hold = await reader.HoldAsync(Items.Name, Token);
        Assert.False(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task A_reader_that_comes_between_looking_and_dropping_is_seen()
    {
        var note = server.Inject(new Fault { Method = "Collections/Update", Delay = TimeSpan.FromSeconds(1), Times = 1 });
        var drop = index.DropAsync(Items.Name, Token).AsTask();
        await QdrantFixture.UntilAsync(() => note.Met == 1); // it has looked, and its note is on the way
        var hold = await reader.HoldAsync(Items.Name, Token);
        await QdrantFixture.UntilAsync(() => { serversTime.Advance(TimeSpan.FromSeconds(1)); return drop.IsCompleted; });
        Assert.False(await drop);
        await hold.DisposeAsync();
        Assert.True(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task An_alias_that_is_no_readers_keeps_a_collection_for_ever()
    {
        await index.PointAliasAsync("items.reader.of.ours", Items.Name, Token);
        time.Advance(TimeSpan.FromDays(1000));
        Assert.False(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public async Task A_reader_whose_server_has_gone_leaves_quietly()
    {
        using var hasty = QdrantFixture.Index(server, new ImpatientClock { Never = TimeSpan.FromMinutes(1) }); // no renewal, and attempts at once
        var hold = await hasty.HoldAsync(Items.Name, Token);
        await server.DownAsync();
        await hold.DisposeAsync();
        await server.UpAsync();
        Assert.False(await index.DropAsync(Items.Name, Token)); // what is left of it
        time.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await index.DropAsync(Items.Name, Token));
    }

    [Fact]
    public void A_readers_name_tells_until_when()
    {
        string name = ReaderAlias.Of("items-aaaaaaaa", Guid.Empty, Start);
        Assert.Equal($"items-aaaaaaaa.reader.{Guid.Empty:N}.1767225600", name);
        Assert.Equal(Start, ReaderAlias.Until(name));
        Assert.All(["items", "items.1767225600", "items.reader.x", "items.reader.x.-5", "items.reader.x.99999999999999999999"], other => Assert.Null(ReaderAlias.Until(other)));
    }

    private sealed class CountingTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private int timers;

        /// <summary>Made so far.</summary>
        public int Timers => Volatile.Read(ref timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref timers);
            return timer;
        }
    }
}
