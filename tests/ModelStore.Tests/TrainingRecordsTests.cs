using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class TrainingRecordsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("trainings-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderTrainingRecords Open() => new(folder);

    internal static TrainingRecord ARecord(int minute, TrainingState state = TrainingState.Refused) =>
        new(Guid.NewGuid(), "head", "manual", state, DateTimeOffset.UnixEpoch.AddMinutes(minute));

    [Fact]
    public void A_damaged_record_hides_no_other()
    {
        FolderTrainingRecords records = Open();
        for (int n = 0; n < 3; n++) records.Save(ARecord(n));
        File.WriteAllText(Directory.GetFiles(folder).Order().First(), "{");
        Assert.Equal(2, Open().List().Count);
    }

    [Theory]
    [InlineData("[[1]]")]
    [InlineData("[[1, null]]")]
    [InlineData("[\"a\"]")]
    [InlineData("[[1, \"a\"]]")]
    [InlineData("{}")]
    public void A_way_of_the_loss_that_nobody_here_wrote_is_damage(string losses)
    {
        TrainingRecord record = ARecord(0) with { Losses = [new LossPoint(1, 2)] };
        Open().Save(record);
        string file = Directory.GetFiles(folder).Single();
        JsonObject json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        json["losses"] = JsonNode.Parse(losses);
        File.WriteAllText(file, json.ToJsonString());
        Assert.Null(Open().Find(record.Id));
    }

    [Fact]
    public void Field_names_are_frozen() => Assert.Equal(
        ["id", "tempo", "reason", "state", "requested_at", "started_at", "ended_at", "phase", "fraction", "loss", "version", "decision", "metrics", "items_per_second", "eta_seconds", "continues", "losses", "policy",
            "cancel_requested"],
        JsonNode.Parse(TrainingJson.Write(ARecord(0)))!.AsObject().Select(field => field.Key));
}
