using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class ErasureMarksTests : IDisposable
{
    private const long AskedAt = 1_769_860_800_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-marks-").FullName;
    private readonly ParquetWindowStore _windows;
    private readonly FolderModelStore _models;

    public ErasureMarksTests() => (_windows, _models) = (new ParquetWindowStore(Path.Combine(_folder, "windows")), new FolderModelStore(Path.Combine(_folder, "models"), TimeProvider.System));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Versions_that_could_see_the_rows_and_those_learned_from_them_are_marked_and_no_others()
    {
        Land(0, "ann", "bob", "ann");
        ModelVersion untrained = Publish('a', null, asOf: null);
        ModelVersion before = Publish('b', untrained, asOf: 0); // its window saw nothing yet
        ModelVersion saw = Publish('c', before, asOf: 3);
        ModelVersion part = Publish('d', before, asOf: 1);
        _windows.Erase(new UserId("ann"), AskedAt);
        Land(3, "bob"); // the segment that covers the request
        ModelVersion child = Publish('e', saw, asOf: 4); // what it saw itself was clean
        ModelVersion anew = Publish('f', untrained, asOf: 4);

        Assert.Equal([saw, part, child], ErasureMarks.Apply(_windows, _models));

        Assert.Equal(new ErasureMark(DateTimeOffset.FromUnixTimeMilliseconds(AskedAt), 2, null), Assert.Single(_models.Erasures(saw)));
        Assert.Equal(1, Assert.Single(_models.Erasures(part)).Rows);
        Assert.Equal(saw, Assert.Single(_models.Erasures(child)).InheritedFrom);
        Assert.All([untrained, before, anew], version => Assert.Empty(_models.Erasures(version)));
        Assert.Empty(ErasureMarks.Apply(_windows, _models)); // done
        Assert.DoesNotContain("ann", File.ReadAllText(Path.Combine(_folder, "models", "models", saw.Value, "erasures.json")));
    }

    [Fact]
    public void A_version_published_after_the_erasure_from_a_window_read_before_it_is_marked()
    {
        Land(0, "ann", "bob");
        ModelVersion untrained = Publish('a', null, asOf: null);
        _windows.Erase(new UserId("ann"), AskedAt);
        Assert.Empty(ErasureMarks.Apply(_windows, _models));
        ModelVersion late = Publish('b', untrained, asOf: 2);
        Assert.Equal([late], ErasureMarks.Apply(_windows, _models));
    }

    [Fact]
    public void A_removed_ancestor_is_remembered()
    {
        Land(0, "ann", "bob");
        ModelVersion untrained = Publish('a', null, asOf: null);
        ModelVersion saw = Publish('b', untrained, asOf: 2);
        ModelVersion child = Publish('c', saw, asOf: 5);
        Assert.Equal([saw], _models.Retain(1));
        _windows.Erase(new UserId("ann"), AskedAt);
        Assert.Equal([child], ErasureMarks.Apply(_windows, _models));
        Assert.Equal(saw, Assert.Single(_models.Erasures(child)).InheritedFrom);
    }

    private void Land(long first, params string[] users) => Assert.True(_windows.TryWriteInteractions(0, first, first + users.Length - 1,
        [.. users.Select((user, n) => new StoredInteraction(first + n, $"e{first + n}", new UserId(user), new ItemId("i"), "view", null, AskedAt - 1000 + first + n, null))]));

    private ModelVersion Publish(char digit, ModelVersion? parent, long? asOf) => _models.Publish(
        new ModelDraft(new Fingerprint(new string(digit, 64)), 4, parent, asOf is null ? null : "w", asOf is { } next ? new Dictionary<int, long> { [0] = next } : [], new JsonObject(), new JsonObject(), "made"),
        target => File.WriteAllText(Path.Combine(target, "weights"), $"{digit}")).Version;
}
