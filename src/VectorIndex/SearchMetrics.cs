using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.VectorIndex;

/// <summary>What searches cost, whatever form the index has: meter and traces <c>BeeFormer.Streaming.VectorIndex</c>.</summary>
internal static class SearchMetrics
{
    public const string MeterName = "BeeFormer.Streaming.VectorIndex";

    private static readonly ActivitySource s_source = new(MeterName);
    private static readonly Meter s_meter = new(MeterName);
    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>("index.search.duration", "s", "Time of a search, of one query or several, by form of the index (embedded, qdrant) and outcome (ok, failed, cancelled)");

    public static async ValueTask<T> TimedAsync<T>(string form, int queries, Func<ValueTask<T>> search)
    {
        using var activity = s_source.StartActivity("search items", ActivityKind.Client)?.SetTag("beeformer.queries", queries);
        long began = TimeProvider.System.GetTimestamp();
        string outcome = "failed";
        try
        {
            T found = await search().ConfigureAwait(false);
            outcome = "ok";
            return found;
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            if (outcome == "failed") activity?.SetStatus(ActivityStatusCode.Error);
            s_duration.Record(TimeProvider.System.GetElapsedTime(began).TotalSeconds, new("form", form), new("outcome", outcome));
        }
    }
}
