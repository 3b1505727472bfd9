using Amazon.Runtime;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.S3;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>What only a store on S3 meets: requests that fail, and copies on this machine.</summary>
public sealed class S3Tests(S3Server server) : IDisposable
{
    private readonly S3Place place = new(server);
    public void Dispose() => place.Dispose();

    private Task<IReadOnlyList<string>> Requests() => server.RequestsAsync(place.Location);

    private Task Fail(string method, string part, params string[] actions) => server.FailAsync([.. actions.Select(action => (method, $"/{place.Location.Bucket}/shop/windows/{part}", action))]);

    [Theory]
    [InlineData("503", "503", "503")]
    [InlineData("cut")] // in the middle of the body
    [InlineData("cut", "500", "cut", "429")]
    [InlineData("lost")] // it arrived; only its answer did not: the repetition finds an object, and it is our own
    [InlineData("lost", "503")]
    public async Task A_write_that_fails_is_repeated_until_it_is_done(params string[] faults)
    {
        var store = place.Open();
        await Requests();
        await Fail("PUT", "interactions", faults);
        store.Write(0, Rows.Purchase(0, "u", "i", 1));
        Assert.Equal(faults.Length + 1, (await Requests()).Count(request => request.StartsWith("PUT", StringComparison.Ordinal)));
        Assert.Equal(1, place.Open().Read(new WindowQuery()).Count);
    }

    [Fact]
    public async Task A_write_that_keeps_failing_says_where_and_can_be_tried_again()
    {
        var store = place.Open();
        await Requests();
        await Fail("PUT", "interactions", [.. Enumerable.Repeat("503", 5)]);
        string message = Assert.Throws<IOException>(() => store.Write(0, Rows.Purchase(0, "u", "i", 1))).Message;
        Assert.Contains($"s3://{place.Location.Bucket}/shop/windows/interactions/p=0/00000000000000000000.parquet", message, StringComparison.Ordinal);
        Assert.Contains("503", message, StringComparison.Ordinal);
        Assert.Equal(5, (await Requests()).Count(request => request.StartsWith("PUT", StringComparison.Ordinal)));
        store.Write(0, Rows.Purchase(0, "u", "i", 1));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("PUT")]
    [InlineData("GET")]
    public async Task An_answer_that_does_not_come_is_waited_for_a_minute(string method)
    {
        place.Open().Write(0, Rows.Purchase(0, "u", "i", 1));
        var time = new FakeTimeProvider();
        var store = new ParquetWindowStore(place.OpenOn("patient", networkTime: time));
        await Requests();
        await Fail(method, "interactions/p=0/", "hang");
        var work = Task.Run(() =>
        {
            store.Write(0, Rows.Purchase(1, "u", "j", 2));
            return store.Read(new WindowQuery()).Count;
        }, TestContext.Current.CancellationToken);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!(await Requests()).Any(request => request.StartsWith($"{method} /{place.Location.Bucket}/shop/windows/interactions/p=0/", StringComparison.Ordinal))) await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(work.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(1)); // pauses between attempts; the next attempt has a minute again
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(2, await work);
    }

    [Fact]
    public async Task A_refused_condition_is_an_answer_and_not_repeated()
    {
        var objects = place.Objects();
        string first = objects.TryPut("one", [1], null, new Dictionary<string, string>())!;
        string second = objects.TryPut("one", [2], first, new Dictionary<string, string>())!;
        await Requests();
        Assert.Null(objects.TryPut("one", [3], null, new Dictionary<string, string>()));
        Assert.Null(objects.TryPut("one", [3], first, new Dictionary<string, string>()));
        Assert.Null(objects.TryPut("none", [3], first, new Dictionary<string, string>()));
        Assert.Null(objects.Get("one", first));
        Assert.Null(objects.Get("none", null));
        Assert.Equal(3, (await Requests()).Count(request => request.StartsWith("PUT", StringComparison.Ordinal)));
        Assert.Equal([2], objects.Get("one", second)!.Bytes);
    }

    [Fact]
    public void A_bucket_that_is_not_there_and_wrong_credentials_are_named()
    {
        string NoStore(S3Objects objects) => Assert.Throws<IOException>(() => new S3Storage(objects, new S3Cache(place.CacheOf("x"), 0, TimeProvider.System), TimeProvider.System)).Message;

        string noBucket = NoStore(place.Objects(location: new S3Location("nowhere", "p")));
        Assert.Contains("Storage:Uri is s3://nowhere/p", noBucket, StringComparison.Ordinal);
        Assert.Contains("there is no bucket nowhere", noBucket, StringComparison.Ordinal);
        string denied = NoStore(place.Objects(new BasicAWSCredentials("somebody", "else")));
        Assert.Contains($"Storage:Uri is {place.Location}", denied, StringComparison.Ordinal);
        Assert.Contains("access was denied", denied, StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_of_another_format_is_refused()
    {
        place.Objects().TryPut("interactions/p=0/00000000000000000000.parquet", [1], null, new Dictionary<string, string>());
        Assert.Contains("no window-store.format", Assert.Throws<InvalidDataException>(place.Open).Message, StringComparison.Ordinal);
        place.Objects().TryPut("window-store.format", "something else"u8.ToArray(), null, new Dictionary<string, string>());
        Assert.Contains("says \"something else\"", Assert.Throws<InvalidDataException>(place.Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unconditional")]
    [InlineData("pass", "unconditional")] // it knows one of the two
    public async Task A_store_that_does_not_heed_conditions_is_refused(params string[] answers)
    {
        place.Open();
        await Fail("PUT", "window-store.format", answers);
        Assert.Contains("does not heed the conditions of writes", Assert.Throws<InvalidDataException>(place.Open).Message, StringComparison.Ordinal);
        place.Open(); // what was written is what was there
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_erasure_that_died_after_any_write_is_mended_by_repeating_or_by_upkeep(bool repeat)
    {
        var ann = new UserId("ann");
        int writes = 0;
        for (bool died = true; died; writes++)
        {
            using var fresh = new S3Place(server);
            var store = fresh.Open();
            store.Write(0, Rows.Purchase(0, "ann", "a", 1), Rows.Purchase(1, "bob", "a", 2));
            store.Write(0, Rows.Purchase(2, "ann", "b", 3));
            await server.AllowWritesAsync(fresh.Location, writes);
            died = Record.Exception(() => store.Erase(ann, 10)) is IOException;
            await server.AllowWritesAsync(fresh.Location, int.MaxValue);
            var next = fresh.Open();
            bool noted = next.Erasures().Count > 0;
            if (repeat) next.Erase(ann, 10);
            else next.FinishErasures();
            if (!repeat && !noted) continue; // the request was not taken yet: the log brings it again
            Assert.Equal(["bob a 1@2"], next.Read(new WindowQuery()).Lines());
            Assert.Empty(next.FindUser(ann));
            Assert.Equal([new ErasedRow(0, 0, 1), new ErasedRow(0, 2, 3)], Assert.Single(next.Erasures()).Rows!);
            Assert.True(Assert.Single(next.Erasures()).Done);
            Assert.Equal(3, next.NextOffset(Topics.Interactions, 0));
        }
        Assert.Equal(7, writes); // salt, note, rows, two segments, done; then none is left to fail
    }

    [Fact]
    public void A_listing_of_several_pages_is_whole()
    {
        var store = place.Open();
        for (int n = 0; n < 5; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        Assert.Equal(place.Objects().List("interactions/"), place.Objects(keysAPage: 2).List("interactions/"));
        Assert.Equal(5, place.Objects(keysAPage: 2).List("interactions/").Count);
    }

    [Fact]
    public async Task Metadata_are_asked_for_once_and_copies_fetched_once()
    {
        place.Open().Write(0, Rows.Purchase(0, "u", "i", 1));
        var reader = place.Open();
        await Requests();
        reader.Read(new WindowQuery());
        reader.Read(new WindowQuery());
        var requests = await Requests();
        Assert.Equal((1, 1), (requests.Count(request => request.StartsWith("HEAD", StringComparison.Ordinal)), requests.Count(request => request.EndsWith(".parquet", StringComparison.Ordinal) && request.StartsWith("GET", StringComparison.Ordinal))));
    }

    [Fact]
    public void Copies_of_an_erased_user_go_at_once_here_and_at_the_next_look_elsewhere()
    {
        var here = new ParquetWindowStore(place.OpenOn("here"));
        var elsewhere = new ParquetWindowStore(place.OpenOn("elsewhere"));
        here.Write(0, Rows.Purchase(0, "ann", "i", 1), Rows.Purchase(1, "bob", "i", 2));
        foreach (var reader in new[] { here, elsewhere }) Assert.Equal(2, reader.Read(new WindowQuery()).Count);
        string[] Copies(string machine) => Directory.GetFiles(place.CacheOf(machine), "*.parquet", SearchOption.AllDirectories);
        string old = Assert.Single(Copies("elsewhere"));
        Assert.Single(Copies("here"));
        here.Erase(new UserId("ann"), 10);
        Assert.DoesNotContain(Path.GetFileName(old), Copies("here").Select(Path.GetFileName));
        Assert.Contains(old, elsewhere.FindUser(new UserId("ann")));
        elsewhere.Compact();
        Assert.Empty(elsewhere.FindUser(new UserId("ann")));
        Assert.False(File.Exists(old));
    }

    [Fact]
    public void The_copies_used_longest_ago_go_first_and_never_one_in_use()
    {
        var time = new FakeTimeProvider();
        var writer = place.Open();
        for (int n = 0; n < 3; n++) writer.Write(n, Rows.Purchase(0, "u", $"i{n}", n, $"e{n}"));
        long size = place.Objects().List("interactions/")[0].Size;
        place.CacheBytes = 2 * size + size / 2;
        var storage = place.OpenOn("small", time);
        int[] Kept() => [.. Enumerable.Range(0, 3).Where(n => Directory.GetFiles(Path.Combine(place.CacheOf("small"), Topics.Interactions, $"p={n}"), "*.parquet").Length > 0)];
        OpenSegments OpenOnly(params int[] partitions)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return storage.Open(Topics.Interactions, segment => partitions.Contains(segment.Partition));
        }
        OpenOnly(0).Dispose();
        OpenOnly(1).Dispose();
        OpenOnly(0).Dispose();
        using (OpenOnly(0, 1))
        {
            OpenOnly(2).Dispose();
            Assert.Equal([0, 1, 2], Kept()); // all are more than there is room for, but two are in use
        }
        Assert.Equal(2, Kept().Length);
        Assert.Contains(2, Kept());
        OpenOnly(0).Dispose();
        OpenOnly(1).Dispose();
        Assert.Equal([0, 1], Kept());
    }

    [Fact]
    public void A_torn_copy_is_fetched_again()
    {
        place.Open().Write(0, Rows.Purchase(0, "u", "i", 1));
        var reader = new ParquetWindowStore(place.OpenOn("torn"));
        reader.Read(new WindowQuery());
        string copy = Directory.GetFiles(place.CacheOf("torn"), "*.parquet", SearchOption.AllDirectories).Single();
        File.WriteAllBytes(copy, []);
        Assert.Equal(1, reader.Read(new WindowQuery()).Count);
    }
}
