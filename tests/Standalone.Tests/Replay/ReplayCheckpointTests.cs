using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

public sealed class ReplayCheckpointTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void What_was_measured_comes_back()
    {
        string file = Path.Combine(files.Folder, "deep", "c.json");
        var checkpoint = new ReplayCheckpoint { Run = "r", Position = 7, TrainingDue = true, Seconds = 1.5 };
        checkpoint.Of("base", 3).Add(0);
        checkpoint.Of("base", 3).Show([1, 9], 10);
        checkpoint.Models.Add(new ReplayedModel("000002-abc", "better", 7));
        checkpoint.Save(file);

        ReplayCheckpoint again = ReplayCheckpoint.Load(file, "r");
        Assert.Equal((7, true, 1.5), (again.Position, again.TrainingDue, again.Seconds));
        Assert.Equal(checkpoint.Of("base", 3).Row("base", 10), again.Of("base", 3).Row("base", 10));
        Assert.Equal(checkpoint.Models, again.Models);
        Assert.Equal([file], Directory.GetFiles(Path.GetDirectoryName(file)!));
    }

    [Fact]
    public void Another_runs_checkpoint_is_not_continued()
    {
        string file = Path.Combine(files.Folder, "c.json");
        new ReplayCheckpoint { Run = "r", Position = 7 }.Save(file);
        Assert.Equal(0, ReplayCheckpoint.Load(file, "other").Position);
    }

    [Fact]
    public void A_damaged_checkpoint_is_named() =>
        Assert.Contains("is not a checkpoint of a replay", Assert.Throws<InvalidDataException>(() => ReplayCheckpoint.Load(files.Write("c.json", "{"), "r")).Message, StringComparison.Ordinal);
}
