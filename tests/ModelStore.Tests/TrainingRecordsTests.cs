using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class TrainingRecordsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("trainings-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderTrainingRecords Open() => new(folder);

    private static TrainingRecord ARecord(int minute, TrainingState state = TrainingState.Refused) =>
        new(Guid.NewGuid(), "head", "manual", state, DateTimeOffset.UnixEpoch.AddMinutes(minute));

    [Fact]
    public void A_record_is_found_after_a_restart_as_it_was_saved_last()
    {
        TrainingRecord record = ARecord(1, TrainingState.Queued);
        Open().Save(record);
        record = record with
        {
            State = TrainingState.Published, StartedAt = DateTimeOffset.UnixEpoch.AddMinutes(2), EndedAt = DateTimeOffset.UnixEpoch.AddMinutes(3), Phase = "evaluate", Fraction = 1, Loss = 0.5,
            Version = new ModelVersion("000002-bbbbbbbb"), Decision = "Promoted.", Metrics = new JsonObject { ["ndcg@100"] = 0.5 },
            ItemsPerSecond = 12.5, EtaSeconds = 30, Continues = Guid.NewGuid(),
        };
        Open().Save(record);
        TrainingRecord found = Open().Find(record.Id)!;
        Assert.Equal(record with { Metrics = null }, found with { Metrics = null });
        Assert.Equal(record.Metrics.ToJsonString(), found.Metrics!.ToJsonString());
        Assert.Single(Open().List());
        Assert.Null(Open().Find(Guid.NewGuid()));
    }

    [Fact]
    public void The_newest_are_kept_and_what_has_not_ended()
    {
        FolderTrainingRecords records = Open();
        TrainingRecord running = ARecord(0, TrainingState.Running);
        records.Save(running);
        for (int n = 1; n <= FolderTrainingRecords.MostRecords + 5; n++) records.Save(ARecord(n));
        IReadOnlyList<TrainingRecord> kept = records.List();
        Assert.Equal(FolderTrainingRecords.MostRecords + 1, kept.Count);
        Assert.Equal(running.Id, kept[0].Id);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMinutes(6), kept[1].RequestedAt);
    }

    [Fact]
    public void What_a_dead_process_ran_is_closed_and_the_rest_is_not_touched()
    {
        FolderTrainingRecords records = Open();
        foreach (TrainingState state in (TrainingState[])[TrainingState.Queued, TrainingState.Running, TrainingState.Cancelled]) records.Save(ARecord((int)state, state));
        records.CloseInterrupted(DateTimeOffset.UnixEpoch.AddDays(1));
        Assert.Equal([TrainingState.Queued, TrainingState.Interrupted, TrainingState.Cancelled], records.List().Select(record => record.State));
    }

    [Fact]
    public void A_damaged_record_hides_no_other()
    {
        FolderTrainingRecords records = Open();
        for (int n = 0; n < 3; n++) records.Save(ARecord(n));
        File.WriteAllText(Directory.GetFiles(folder).Order().First(), "{");
        Assert.Equal(2, Open().List().Count);
    }

    [Fact]
    public void The_way_of_the_loss_is_kept_and_no_more_of_it_is_read_than_was_ever_written()
    {
        TrainingRecord record = ARecord(0) with { Losses = [.. Enumerable.Range(0, TrainingRecord.MostLosses + 5).Select(n => new LossPoint(n / 4.0, 1.0 / (n + 1)))] };
        Open().Save(record);
        Assert.Equal(record.Losses!.Take(TrainingRecord.MostLosses), Open().Find(record.Id)!.Losses!);
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
    public void Changes_at_the_same_time_all_count()
    {
        TrainingRecord record = ARecord(0) with { Decision = "" };
        Open().Save(record);
        Parallel.For(0, 40, n => Assert.NotNull(Open().Change(record.Id, known => known! with { Decision = known.Decision + "x" })));
        Assert.Equal(40, Open().Find(record.Id)!.Decision!.Length);

        Assert.Equal(record.Id, Open().Change(record.Id, _ => null)!.Id);
        Assert.Null(Open().Change(Guid.NewGuid(), known => known));
    }

    [Fact]
    public void Field_names_are_frozen() => Assert.Equal(
        ["id", "tempo", "reason", "state", "requested_at", "started_at", "ended_at", "phase", "fraction", "loss", "version", "decision", "metrics", "items_per_second", "eta_seconds", "continues", "losses", "policy",
            "cancel_requested"],
        JsonNode.Parse(TrainingJson.Write(ARecord(0)))!.AsObject().Select(field => field.Key));
}
