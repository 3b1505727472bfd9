using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore.S3;
using BeeFormer.Streaming.WindowStore.Tests;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>What only a store on S3 meets: answers that are lost, machines that know nothing of one another, and copies here.</summary>
public sealed class S3ModelStoreTests(S3Server server) : IDisposable
{
    private readonly BucketPlace place = new(server);
    public void Dispose() => place.Dispose();

    private S3Objects Objects => place.Reach().Records;

    private string ObjectOf(string file) => Objects.List("models/").Select(entry => entry.Name).Single(name => name.EndsWith(file, StringComparison.Ordinal));

    private async Task<int> CountAsync(string method, string part) => (await place.Requests()).Count(request => request.StartsWith($"{method} {place.Address}{part}", StringComparison.Ordinal));

    private async Task SeenAsync(string method, string part, int count = 1)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while ((count -= await CountAsync(method, part)) > 0) await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    /// <param name="step">By which the time goes on again and again, milliseconds: over pauses between attempts, or over attempts that hang.</param>
    private static async Task<T> ResultAsync<T>(Task<T> work, FakeTimeProvider time, int step = 10)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(step));
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        return await work;
    }

    [Theory]
    [InlineData("lost")] // done, but nobody learns of it
    [InlineData("lost", "503")]
    [InlineData("503", "cut")]
    [InlineData("lost", "503", "503", "503", "503")] // all attempts; the look after it finds the change
    public async Task A_change_of_the_root_whose_answer_does_not_come_happens_once(params string[] faults)
    {
        IModelStore store = place.Open();
        ModelVersion first = AModel.Publish(store, 'a', window: null);
        Assert.True(store.TryMoveLive(null, first));
        await place.Fail("PUT", "root.json", faults);
        (ModelManifest second, bool live) = store.PublishLive(AModel.Draft('b', first), first, AModel.Encoder("head b"));
        Assert.True(live);
        IModelStore seen = place.Open();
        Assert.Equal(["000001-aaaaaaaa", "000002-bbbbbbbb"], seen.List().Select(model => model.Version.Value));
        Assert.Equal((second.Version, first), (seen.Live!.Value, seen.Previous!.Value));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_change_whose_answer_was_lost_is_known_even_after_others_have_changed_the_root()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a', window: null), second = AModel.Publish(place.Open(), 'b');
        var time = new FakeTimeProvider();
        S3ModelStore slow = place.OpenOn("slow", time);
        IModelStore other = place.Open();
        await place.Requests();
        await place.Fail("PUT", "root.json", "lost", "hang");
        Task<bool> moving = Task.Run(() => slow.TryMoveLive(null, first), TestContext.Current.CancellationToken);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            for (int seen = 0; seen < 2; seen += await CountAsync("PUT", "root.json"))
            {
                if (seen == 1) time.Advance(TimeSpan.FromMilliseconds(10));
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        Assert.True(other.TryMoveLive(first, second));
        time.Advance(TimeSpan.FromSeconds(10)); // the second attempt is given up, the third is refused
        Assert.True(await ResultAsync(moving, time));
        Assert.Equal((second, first), (slow.Live!.Value, slow.Previous!.Value));
    }

    [Fact]
    public async Task What_fails_for_good_names_setting_bucket_and_key_after_five_attempts()
    {
        IModelStore store = place.Open();
        await place.Requests();
        await place.Fail("GET", "root.json", [.. Enumerable.Repeat("503", 5)]);
        string message = Assert.Throws<IOException>(() => store.Live).Message;
        Assert.Contains($"s3:/{place.Address}root.json (Models:Uri is s3:/{place.Address.TrimEnd('/')})", message, StringComparison.Ordinal);
        Assert.Contains("503", message, StringComparison.Ordinal);
        Assert.Equal(5, await CountAsync("GET", "root.json"));

        await place.Fail("PUT", "models/", [.. Enumerable.Repeat("503", 10)]); // two files at once
        Assert.Throws<IOException>(() => AModel.Publish(store, 'a'));
        await place.Fail("GET", "none");
        Assert.Empty(place.Open().List());
        Assert.Equal("000001-aaaaaaaa", AModel.Publish(store, 'a').Value);
    }

    [Fact]
    public async Task Looking_for_news_is_one_request_and_manifests_are_read_once()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a');
        Assert.True(place.Open().TryMoveLive(null, first));
        IModelStore store = place.Open();
        store.List();
        await place.Requests();
        for (int n = 0; n < 3; n++) Assert.Equal((first, first), (store.Live!.Value, store.List().Single().Version));
        IReadOnlyList<string> requests = await place.Requests();
        Assert.Equal(6, requests.Count);
        Assert.All(requests, request => Assert.StartsWith($"GET {place.Address}root.json", request, StringComparison.Ordinal));

        ITrainingRecords trainings = place.OpenTrainings(), other = place.OpenTrainings();
        TrainingRecord one = TrainingRecordsTests.ARecord(1), two = TrainingRecordsTests.ARecord(2);
        other.Save(one);
        other.Save(two);
        trainings.List();
        other.Save(two with { Phase = "train" });
        await place.Requests();
        Assert.Equal([null, "train"], trainings.List().Select(record => record.Phase));
        Assert.Equal(2, (await place.Requests()).Count); // the list, and the one that has changed
    }

    [Theory]
    [InlineData("weightz", "SHA-256")]
    [InlineData("weights and more", "16 bytes; 7 were published")]
    [InlineData(null, "is missing")]
    public void What_was_changed_in_the_bucket_is_named_and_never_gets_a_name_here(string? content, string problem)
    {
        IModelStore store = place.Open();
        ModelVersion damaged = AModel.Publish(store, 'a'), other = store.Publish(AModel.Draft('b'), encoder => DurableFiles.Write(Path.Combine(encoder, "other"), "x"u8)).Version;
        string name = ObjectOf("model.safetensors");
        if (content is null) Objects.Delete(name);
        else Objects.Put(name, System.Text.Encoding.UTF8.GetBytes(content));
        S3ModelStore there = place.OpenOn("there");
        string message = Assert.Throws<InvalidDataException>(() => there.EncoderFolder(damaged)).Message;
        Assert.Contains($"s3:/{place.Address}{name}", message, StringComparison.Ordinal);
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.Equal(message, there.Problem(damaged));
        if (content != "weightz") Assert.Equal((damaged, message), (there.Damaged().Single().Version, there.Damaged().Single().Problem));
        Assert.Throws<InvalidDataException>(() => there.Export(damaged, new MemoryStream()));
        Assert.Equal(["locks"], Directory.GetFileSystemEntries(Path.Combine(place.CopiesOf("there"), "s3-cache")).Select(Path.GetFileName));
        Assert.Null(there.Problem(other));
    }

    [Theory]
    [InlineData("\"bytes\": 7", "\"bytes\": -7")]
    [InlineData("\"bytes\": 7", "\"bytes\": 9223372036854775807")] // the other file's bytes are more than all that is left
    [InlineData("\"model.safetensors\"", "\"../../evil\"")]
    [InlineData("\"model.safetensors\"", "\"head\"")]
    [InlineData("000001-aaaaaaaa", "000002-aaaaaaaa")]
    [InlineData("{", "[")]
    public void A_manifest_that_nobody_here_wrote_is_damage_and_hides_no_other(string before, string after)
    {
        AModel.Publish(place.Open(), 'a');
        string name = ObjectOf("manifest.json");
        ModelVersion other = AModel.Publish(place.Open(), 'b');
        string text = System.Text.Encoding.UTF8.GetString(Objects.Get(name, null)!.Bytes);
        Assert.Contains(before, text, StringComparison.Ordinal);
        Objects.Put(name, System.Text.Encoding.UTF8.GetBytes(text.Replace(before, after, StringComparison.Ordinal)));
        IModelStore store = place.Open();
        Assert.Equal(other, Assert.Single(store.List()).Version);
        Assert.Contains(name, Assert.Single(store.Damaged()).Problem, StringComparison.Ordinal);
        Assert.Contains(name, Assert.Throws<InvalidDataException>(() => store.EncoderFolder(new ModelVersion("000001-aaaaaaaa"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"place\": \"", "\"place\": \"../")]
    [InlineData("\"revision\"", "\"revisions\"")]
    [InlineData("000001-aaaaaaaa", "../../etc")]
    public void A_damaged_root_is_named(string before, string after)
    {
        AModel.Publish(place.Open(), 'a');
        string text = System.Text.Encoding.UTF8.GetString(Objects.Get(S3Root.Name, null)!.Bytes);
        Objects.Put(S3Root.Name, System.Text.Encoding.UTF8.GetBytes(text.Replace(before, after, StringComparison.Ordinal)));
        Assert.Contains($"{place.Address}root.json is damaged", Assert.Throws<InvalidDataException>(place.Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unconditional")]
    [InlineData("pass", "unconditional")]
    public async Task A_store_that_does_not_heed_conditions_is_refused(params string[] answers)
    {
        place.Open();
        await place.Fail("PUT", "model-store.format", answers);
        Assert.Contains("does not heed the conditions of writes", Assert.Throws<InvalidDataException>(place.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_is_fetched_once_and_equal_files_are_not_fetched_again()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a'), second = AModel.Publish(place.Open(), 'b');
        await place.Requests();
        string[] folders = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => place.OpenOn("here").EncoderFolder(first), TestContext.Current.CancellationToken)));
        Assert.Single(folders.Distinct());
        S3ModelStore store = place.OpenOn("here");
        string next = store.EncoderFolder(second);
        Assert.Equal(next, store.EncoderFolder(second));
        IReadOnlyList<string> requests = await place.Requests();
        Assert.Equal(3, requests.Count(request => request.StartsWith("GET", StringComparison.Ordinal) && request.Contains("/encoder/", StringComparison.Ordinal))); // two files, then one other head
        Assert.Equal(("weights", "head b"), (await File.ReadAllTextAsync(Path.Combine(next, "model.safetensors"), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(Path.Combine(next, "head", "head.safetensors"), TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("weightz")]
    public void A_copy_that_was_damaged_is_fetched_again(string? content)
    {
        ModelVersion version = AModel.Publish(place.Open(), 'a');
        string file = Path.Combine(place.OpenOn("here").EncoderFolder(version), "model.safetensors");
        if (content is null) File.Delete(file);
        else File.WriteAllText(file, content);
        Assert.Equal("weights", File.ReadAllText(Path.Combine(place.OpenOn("here").EncoderFolder(version), "model.safetensors")));
    }

    [Fact]
    public async Task A_process_that_died_while_it_fetched_leaves_nothing_that_is_used()
    {
        ModelVersion version = AModel.Publish(place.Open(), 'a');
        S3ModelStore store = place.OpenOn("here");
        using (DiskChange.Watch((what, path) =>
        {
            if (what == "rename") throw new IOException("the process dies");
        })) Assert.Throws<IOException>(() => store.EncoderFolder(version));
        string copies = Path.Combine(place.CopiesOf("here"), "s3-cache"), name = Path.GetFileName(ObjectOf("manifest.json").Split('/')[1]);
        Directory.CreateDirectory(Path.Combine(copies, $".new-{name}", "encoder"));
        await File.WriteAllTextAsync(Path.Combine(copies, $".new-{name}", "encoder", "model.safetensors"), "wei", TestContext.Current.CancellationToken);
        Assert.Equal("weights", await File.ReadAllTextAsync(Path.Combine(place.OpenOn("here").EncoderFolder(version), "model.safetensors"), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetDirectories(copies, ".new-*"));
    }

    [Fact]
    public void What_was_removed_goes_from_the_bucket_and_from_copies_that_nobody_uses()
    {
        S3ModelStore here = place.OpenOn("here"), there = place.OpenOn("there");
        ModelVersion first = AModel.Publish(here, 'a'), second = AModel.Publish(here, 'b'), third = AModel.Publish(here, 'c');
        there.EncoderFolder(first);
        string used = there.EncoderFolder(second);
        using (there.Lease(second))
        {
            Assert.Equal([first], here.Retain(1));
            Assert.Equal(2, Objects.List("models/").Select(entry => entry.Name.Split('/')[1]).Distinct().Count());
            Assert.Empty(there.Retain(1));
            Assert.True(Directory.Exists(used));
            Assert.Single(Objects.List("uses/"));
        }
        Assert.Empty(Objects.List("uses/"));
        Assert.Equal([second], here.Retain(1));
        there.Retain(1);
        Assert.False(Directory.Exists(used));
        Assert.Equal([third], there.List().Select(model => model.Version));
        Assert.Throws<InvalidDataException>(() => there.EncoderFolder(second));
    }

    [Fact]
    public void A_use_whose_process_has_ended_keeps_nothing()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a');
        AModel.Publish(place.Open(), 'b');
        using IDisposable forgotten = place.Open().Lease(first);
        Assert.Empty(place.Open().Retain(1));
        Assert.Equal([first], place.OpenOn("later", ages: new ObjectAges() with { Ended = TimeSpan.FromTicks(-1) }).Retain(1));
        Assert.Empty(Objects.List("uses/"));
    }

    /// <summary>The mark in the root makes a use that begins after the look for uses known to who retires.</summary>
    [Fact]
    public async Task A_use_that_begins_while_versions_are_retired_wins_or_is_told()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a');
        AModel.Publish(place.Open(), 'b');
        var time = new FakeTimeProvider();
        S3ModelStore retiring = place.OpenOn("retiring", time);
        retiring.List();
        await place.Requests();
        await place.Fail("PUT", "retired/", "hang"); // after it has looked for uses
        Task<IReadOnlyList<ModelVersion>> removed = Task.Run(() => retiring.Retain(1), TestContext.Current.CancellationToken);
        await SeenAsync("PUT", "retired/");
        using (place.Open().Lease(first))
        {
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.Empty(await ResultAsync(removed, time));
            Assert.NotNull(place.Open().Find(first));
        }
    }

    [Fact]
    public async Task A_publication_that_slept_until_its_files_were_taken_for_abandoned_publishes_nothing()
    {
        ModelVersion first = AModel.Publish(place.Open(), 'a');
        var time = new FakeTimeProvider();
        S3ModelStore slow = place.OpenOn("slow", time);
        await place.Requests();
        await place.Fail("PUT", "models/", "pass", "pass", "hang"); // two files, then the manifest
        Task<Exception?> publishing = Task.Run(() => Record.Exception(() => AModel.Publish(slow, 'b')), TestContext.Current.CancellationToken);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            for (bool seen = false; !seen; seen = (await place.Requests()).Any(request => request.StartsWith("PUT", StringComparison.Ordinal) && request.Contains("/manifest.json", StringComparison.Ordinal)))
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        place.Open().Retain(9);
        Assert.Equal(2, Objects.List("models/").Select(entry => entry.Name.Split('/')[1]).Distinct().Count()); // it is not old enough
        place.OpenOn("later", ages: new ObjectAges() with { Abandoned = TimeSpan.FromTicks(-1) }).Retain(9);
        Assert.Single(Objects.List("models/").Select(entry => entry.Name.Split('/')[1]).Distinct());
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Contains("taken for abandoned", Assert.IsType<IOException>(await ResultAsync(publishing, time)).Message, StringComparison.Ordinal);
        Assert.Equal([first], place.Open().List().Select(model => model.Version));
    }

    [Theory]
    [InlineData("503")]
    [InlineData("hang")]
    public async Task A_version_whose_copy_lies_here_is_used_while_the_place_is_away_and_kept_there_once_it_answers(string action)
    {
        IModelStore other = place.Open();
        ModelVersion first = AModel.Publish(other, 'a'), second = AModel.Publish(other, 'b');
        string folder = place.OpenOn("here").EncoderFolder(first);
        await place.AwayAsync(action);
        var time = new FakeTimeProvider();
        Task<T> Run<T>(Func<T> work) => ResultAsync(Task.Run(work, TestContext.Current.CancellationToken), time, step: 500);
        S3ModelStore here = await Run(() => place.OpenThoughAway("here", time));
        ModelInUse used = await Run(() => here.Use(first));
        Assert.Equal((first, folder), (used.Manifest.Version, used.EncoderFolder));
        Assert.Contains("Models:Uri", Assert.IsType<IOException>(await Run(() => Record.Exception(() => here.Use(second)))).Message, StringComparison.Ordinal); // of this one nothing lies here

        await place.BackAsync();
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (Objects.List("uses/").Count == 0)
            {
                time.Advance(TimeSpan.FromMilliseconds(500));
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        Assert.Empty(other.Retain(1));
        used.Dispose();
        await Assert.IsType<LaterLease>(used.Lease).Held;
        Assert.Equal([first], other.Retain(1));
    }

    [Fact]
    public async Task A_version_that_was_removed_while_the_place_did_not_answer_here_goes_on_being_used()
    {
        IModelStore other = place.Open();
        ModelVersion first = AModel.Publish(other, 'a');
        AModel.Publish(other, 'b');
        var time = new FakeTimeProvider();
        S3ModelStore here = place.OpenThoughAway("here", time);
        here.EncoderFolder(first);
        await place.AwayAsync("503");
        using ModelInUse used = await ResultAsync(Task.Run(() => here.Use(first), TestContext.Current.CancellationToken), time);
        await place.BackAsync();
        Assert.Equal([first], other.Retain(1));
        await ResultAsync(Task.Run(async () => { await Assert.IsType<LaterLease>(used.Lease).Held; return true; }, TestContext.Current.CancellationToken), time, step: 500);
        AModel.Publish(place.OpenOn("here"), 'c'); // removes copies that are not used
        Assert.True(Directory.Exists(used.EncoderFolder));
        Assert.Empty(Objects.List("uses/"));
    }

    [Theory]
    [InlineData("encoder/model.safetensors", "weightz")]
    [InlineData("manifest.json", "{}")]
    [InlineData("manifest.json", null)] // as copies were before
    public async Task A_copy_that_was_damaged_is_not_used_without_the_place(string file, string? content)
    {
        ModelVersion version = AModel.Publish(place.Open(), 'a');
        string encoder = place.OpenOn("here").EncoderFolder(version), damaged = Path.Combine(encoder, "..", file);
        if (content is null) File.Delete(damaged);
        else await File.WriteAllTextAsync(damaged, content, TestContext.Current.CancellationToken);
        await place.AwayAsync("503");
        S3ModelStore here = place.OpenThoughAway("here", TimeProvider.System);
        Assert.Throws<IOException>(() => here.Use(version));
        await place.BackAsync();
        using (ModelInUse used = here.Use(version)) Assert.Single(Objects.List("uses/")); // kept from the first moment on
        await place.AwayAsync("503");
        using (ModelInUse used = here.Use(version)) Assert.Equal("weights", await File.ReadAllTextAsync(Path.Combine(used.EncoderFolder, "model.safetensors"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_place_of_another_format_is_refused_even_by_who_could_do_without()
    {
        Objects.Put("model-store.format", "beeformer model store on S3, format 2"u8.ToArray());
        Assert.Contains("made by another version", Assert.Throws<InvalidDataException>(() => place.OpenThoughAway("here", TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copies_of_versions_that_are_gone_go_when_another_is_fetched()
    {
        IModelStore other = place.Open();
        ModelVersion first = AModel.Publish(other, 'a'), second = AModel.Publish(other, 'b');
        S3ModelStore here = place.OpenOn("here");
        string old = here.EncoderFolder(first);
        Assert.Equal([first], other.Retain(1));
        here.EncoderFolder(second);
        Assert.False(Directory.Exists(old));
    }
}
