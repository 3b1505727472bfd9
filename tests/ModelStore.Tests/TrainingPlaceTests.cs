using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.Tests;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>What records of trainings do wherever they lie.</summary>
public abstract class TrainingPlaceTests(Place place) : IDisposable
{
    public void Dispose() => place.Dispose();

    private ITrainingRecords OpenTrainings() => place.OpenTrainings();

    private static TrainingRecord ARecord(int minute, TrainingState state = TrainingState.Refused) => TrainingRecordsTests.ARecord(minute, state);

    [Fact]
    public void A_record_is_found_after_a_restart_as_it_was_saved_last()
    {
        TrainingRecord record = ARecord(1, TrainingState.Queued);
        OpenTrainings().Save(record);
        record = record with
        {
            State = TrainingState.Published, StartedAt = DateTimeOffset.UnixEpoch.AddMinutes(2), EndedAt = DateTimeOffset.UnixEpoch.AddMinutes(3), Phase = "evaluate", Fraction = 1, Loss = 0.5,
            Version = new ModelVersion("000002-bbbbbbbb"), Decision = "Promoted.", Metrics = new JsonObject { ["ndcg@100"] = 0.5 },
            ItemsPerSecond = 12.5, EtaSeconds = 30, Continues = Guid.NewGuid(),
        };
        OpenTrainings().Save(record);
        TrainingRecord found = OpenTrainings().Find(record.Id)!;
        Assert.Equal(record with { Metrics = null }, found with { Metrics = null });
        Assert.Equal(record.Metrics.ToJsonString(), found.Metrics!.ToJsonString());
        Assert.Single(OpenTrainings().List());
        Assert.Null(OpenTrainings().Find(Guid.NewGuid()));
    }

    [Fact]
    public void The_newest_are_kept_and_what_has_not_ended()
    {
        ITrainingRecords records = OpenTrainings();
        TrainingRecord running = ARecord(0, TrainingState.Running);
        records.Save(running);
        for (int n = 1; n <= place.MostTrainings + 5; n++) records.Save(ARecord(n));
        IReadOnlyList<TrainingRecord> kept = records.List();
        Assert.Equal(place.MostTrainings + 1, kept.Count);
        Assert.Equal(running.Id, kept[0].Id);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMinutes(6), kept[1].RequestedAt);
    }

    [Fact]
    public void What_a_dead_process_ran_is_closed_and_the_rest_is_not_touched()
    {
        ITrainingRecords records = OpenTrainings();
        foreach (TrainingState state in (TrainingState[])[TrainingState.Queued, TrainingState.Running, TrainingState.Cancelled]) records.Save(ARecord((int)state, state));
        records.CloseInterrupted(DateTimeOffset.UnixEpoch.AddDays(1));
        Assert.Equal([TrainingState.Queued, TrainingState.Interrupted, TrainingState.Cancelled], records.List().Select(record => record.State));
    }

    [Fact]
    public void The_way_of_the_loss_is_kept_and_no_more_of_it_is_read_than_was_ever_written()
    {
        TrainingRecord record = ARecord(0) with { Losses = [.. Enumerable.Range(0, TrainingRecord.MostLosses + 5).Select(n => new LossPoint(n / 4.0, 1.0 / (n + 1)))] };
        OpenTrainings().Save(record);
        Assert.Equal(record.Losses!.Take(TrainingRecord.MostLosses), OpenTrainings().Find(record.Id)!.Losses!);
    }

    [Fact]
    public void Changes_at_the_same_time_all_count()
    {
        TrainingRecord record = ARecord(0) with { Decision = "" };
        OpenTrainings().Save(record);
        Parallel.For(0, 40, n => Assert.NotNull(OpenTrainings().Change(record.Id, known => known! with { Decision = known.Decision + "x" })));
        Assert.Equal(40, OpenTrainings().Find(record.Id)!.Decision!.Length);

        Assert.Equal(record.Id, OpenTrainings().Change(record.Id, _ => null)!.Id);
        Assert.Null(OpenTrainings().Change(Guid.NewGuid(), known => known));
    }
}

public sealed class TrainingsInFolderTests() : TrainingPlaceTests(new FolderPlace());

public sealed class TrainingsOnS3Tests(S3Server server) : TrainingPlaceTests(new BucketPlace(server));
