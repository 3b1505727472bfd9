using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>What an instrument of this Indexer has measured, summed.</summary>
internal sealed class Measured : IDisposable
{
    private readonly MeterListener _listener;
    private readonly Lock _gate = new();
    private double _sum;

    public Measured(IndexerUnderTest indexer, string instrument)
    {
        object scope = indexer.Meters;
        _listener = new MeterListener
        {
            InstrumentPublished = (published, listener) =>
            {
                if (published.Name == instrument && published.Meter.Scope == scope) listener.EnableMeasurementEvents(published);
            },
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Add(value));
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) => Add(value));
        _listener.Start();
    }

    public double Sum
    {
        get { lock (_gate) return _sum; }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(double value)
    {
        lock (_gate) _sum += value;
    }
}
