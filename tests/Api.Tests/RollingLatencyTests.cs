using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class RollingLatencyTests
{
    [Fact]
    public void Without_requests_there_is_no_percentile() =>
        Assert.Equal(new LatencySummary(0, 0, null, null, null), new RollingLatency(new FakeTimeProvider()).Read());

    [Property]
    public void Percentiles_are_those_of_the_requests_at_most_a_tenth_too_high(FsCheck.NonEmptyArray<ushort> given)
    {
        var latency = new RollingLatency(new FakeTimeProvider());
        double[] sorted = [.. given.Get.Select(ms => ms + 0.05).Order()];
        foreach (double ms in sorted) latency.Note(TimeSpan.FromMilliseconds(ms), failed: false);
        var (_, _, p50, p95, p99) = latency.Read();
        foreach (var (share, found) in new[] { (0.5, p50), (0.95, p95), (0.99, p99) })
            Assert.InRange(found!.Value, Exact(share) * 0.999, Exact(share) * 1.1);
        double Exact(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }

    [Fact]
    public void Rates_are_of_the_last_minute_and_old_requests_are_forgotten()
    {
        var clock = new FakeTimeProvider();
        var latency = new RollingLatency(clock);
        for (int second = 0; second < 300; second++)
        {
            for (int n = 0; n < 4; n++) latency.Note(TimeSpan.FromMilliseconds(10), failed: n == 0);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(latency.Read().PerSecond, 3.5, 4.1);
        Assert.InRange(latency.Read().FailedPerSecond, 0.85, 1.05);
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(new LatencySummary(0, 0, null, null, null), latency.Read());
    }

    [Fact]
    public void What_takes_longer_than_any_bucket_is_in_the_last_one()
    {
        var latency = new RollingLatency(new FakeTimeProvider());
        latency.Note(TimeSpan.FromDays(1), failed: false);
        latency.Note(TimeSpan.Zero, failed: false);
        latency.Note(TimeSpan.FromDays(-1), failed: false);
        Assert.InRange(latency.Read().P99Ms!.Value, 60_000, 120_000);
        Assert.Equal(0.05, latency.Read().P50Ms);
    }
}
