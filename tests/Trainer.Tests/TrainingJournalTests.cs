using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class TrainingJournalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("journal-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(3)]
    [InlineData(240)]
    [InlineData(241)]
    [InlineData(5_000)]
    public void The_way_of_the_loss_keeps_its_ends_and_stays_short(int reports)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var records = new FolderTrainingRecords(folder);
        var journal = new TrainingJournal(records, clock, NullLogger<TrainingJournal>.Instance);
        var request = new TrainEncoder(Guid.NewGuid(), TrainingTempo.Head, "manual");
        new TrainingQueue(records, clock).Add(request);
        Assert.True(journal.TryStart(request.TrainingId));
        for (int n = 1; n <= reports; n++)
        {
            clock.Advance(TimeSpan.FromSeconds(0.3));
            journal.Progressed(new TrainingProgressed(request.TrainingId, "train", n / (double)reports, 10.0 / n));
        }
        journal.Progressed(new TrainingProgressed(request.TrainingId, "evaluate", 0, null));
        journal.Progressed(new TrainingProgressed(request.TrainingId, "evaluate", 0, double.NaN));
        journal.Ended(request, TrainingState.Refused, "no");

        LossPoint[] points = [.. records.Find(request.TrainingId)!.Losses!];
        Assert.InRange(points.Length, Math.Min(reports, TrainingRecord.MostLosses / 2), TrainingRecord.MostLosses);
        Assert.Equal((0.3, 10.0), (points[0].Seconds, points[0].Loss));
        Assert.Equal(reports * 0.3, points[^1].Seconds, 6);
        Assert.Equal(10.0 / reports, points[^1].Loss);
        Assert.Equal(points.OrderBy(point => point.Seconds), points);
        Assert.All(points, point => Assert.Equal(10.0 / Math.Round(point.Seconds / 0.3), point.Loss, 9));
    }
}
