using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>What a holder does that has lost its lease changes nothing, however late it comes.</summary>
public sealed class FencingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("fencing-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private FolderModelStore Open() => new(folder, TimeProvider.System);

    /// <summary>As after a hang: the one before knows nothing of it.</summary>
    internal static HeldLease Take(long token) => new(new NoFiles(), "trainer", token, new LeaseRecord(Guid.NewGuid(), "", false, 0, false), null, TimeProvider.System, TimeProvider.System.GetTimestamp());

    private string[] Everything() => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        .Select(file => $"{file}: {File.ReadAllText(file)}")];

    [Fact]
    public async Task Nothing_of_an_earlier_holder_is_written_once_there_is_a_later_one()
    {
        FolderModelStore store = Open();
        await using HeldLease first = Take(7), second = Take(8);
        IModelStore zombie = store.Under(first);
        ModelVersion live = AModel.Publish(zombie, 'a', window: null), other = AModel.Publish(zombie, 'b', live);
        Assert.True(zombie.TryMoveLive(null, live));
        zombie.RecordRefusal(new Refusal(DateTimeOffset.UnixEpoch, live, "w", [], "no"));

        IModelStore next = Open().Under(second); // in another process
        string[] before = Everything();
        foreach (Action write in (Action[])
        [
            () => AModel.Publish(zombie, 'c'),
            () => zombie.PublishLive(AModel.Draft('c', live), live, AModel.Encoder("head c")),
            () => zombie.TryMoveLive(live, other),
            () => zombie.RecordRefusal(new Refusal(DateTimeOffset.UnixEpoch, live, "w", [], "no")),
            () => zombie.Retain(1),
            () => zombie.MarkErasures(live, [new ErasureMark(DateTimeOffset.UnixEpoch, 1, null)]),
            () => store.Under(first),
        ]) Assert.Contains("trainer", Assert.Throws<LeaseLostException>(write).Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything());
        Assert.True(first.Lost.IsCancellationRequested);
        Assert.Equal(live, zombie.Live); // it may read

        Assert.True(next.TryMoveLive(live, other));
        Assert.True(store.TryMoveLive(other, live)); // a user needs no lease
        Assert.True(Open().Under(second).TryMoveLive(live, other)); // the same holder, opened once more
    }

    [Fact]
    public async Task A_holder_that_wakes_up_after_it_has_written_its_model_publishes_nothing()
    {
        FolderModelStore store = Open();
        await using HeldLease first = Take(7), second = Take(8);
        IModelStore zombie = store.Under(first);
        ModelVersion live = AModel.Publish(zombie, 'a', window: null);
        Assert.True(zombie.TryMoveLive(null, live));
        Assert.Throws<LeaseLostException>(() => zombie.PublishLive(AModel.Draft('b', live), live, encoder =>
        {
            AModel.Encoder()(encoder);
            Open().Under(second);
        }));
        Assert.Equal([live], store.List().Select(model => model.Version));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(folder, "models"), ".*"));
        Assert.Equal(live, Open().Live);
    }

    /// <summary>Between looking at the fence and the change there is no room for another holder: it waits until the change is done, and knows of it.</summary>
    [Theory]
    [InlineData("models")]
    [InlineData("live")]
    public async Task Nobody_takes_over_between_the_look_at_the_fence_and_the_change(string what)
    {
        FolderModelStore store = Open();
        await using HeldLease first = Take(7), second = Take(8);
        IModelStore zombie = store.Under(first);
        ModelVersion live = AModel.Publish(zombie, 'a', window: null);
        Assert.True(zombie.TryMoveLive(null, live));
        bool seen = false;
        using (DiskChange.Watch((change, path) =>
        {
            if (change != "rename" || seen || (what == "live" ? Path.GetFileName(path) != "live" : Path.GetFileName(Path.GetDirectoryName(path)) != "models")) return;
            seen = true;
            using IDisposable? publishing = FileLock.TryExclusive(Path.Combine(folder, ".publish.lock")), moving = FileLock.TryExclusive(Path.Combine(folder, ".live.lock"));
            Assert.False(publishing is not null && moving is not null);
        })) zombie.PublishLive(AModel.Draft('b', live), live, AModel.Encoder());
        Assert.True(seen);
        Assert.Equal("000002-bbbbbbbb", Open().Under(second).Live!.Value.Value);
    }

    [Fact]
    public async Task A_store_that_is_opened_while_a_model_is_written_leaves_it_alone()
    {
        FolderModelStore store = Open();
        await using HeldLease first = Take(7);
        store.Under(first).Publish(AModel.Draft(), encoder =>
        {
            AModel.Encoder()(encoder);
            Open();
        });
        Assert.Null(Open().Problem(Assert.Single(store.List()).Version));
    }

    [Fact]
    public async Task A_damaged_fence_is_named()
    {
        Open();
        await File.WriteAllTextAsync(Path.Combine(folder, "fence"), "soon", Token);
        await using HeldLease lease = Take(7);
        Assert.Contains(Path.Combine(folder, "fence"), Assert.Throws<InvalidDataException>(() => Open().Under(lease)).Message, StringComparison.Ordinal);
    }

    private sealed class NoFiles : ILeaseFiles
    {
        public string Machine => "";
        public long Highest(string name) => 0;
        public byte[]? Read(string name, long token) => null;
        public bool TryCreate(string name, long token, byte[] content) => true;
        public bool TryRewrite(string name, long token, byte[] content) => true;
        public void RemoveBelow(string name, long token) { }
        public IDisposable? Attend(string name, Guid holder) => null;
        public bool HasEnded(string name, LeaseRecord record) => false;
    }
}
