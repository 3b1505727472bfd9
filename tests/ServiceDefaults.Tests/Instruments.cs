using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>Every instrument of the program: those of the classes that have a <c>MeterName</c>.</summary>
internal static class Instruments
{
    private const string Ours = "BeeFormer.Streaming.";

    public static IReadOnlyList<Instrument> All { get; } = Find();

    private static IReadOnlyList<Instrument> Find()
    {
        var found = new List<Instrument>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => { if (instrument.Meter.Name.StartsWith(Ours, StringComparison.Ordinal)) lock (found) found.Add(instrument); } };
        listener.Start();
        string models = Directory.CreateTempSubdirectory("instruments-").FullName;
        using var services = new ServiceCollection().AddMetrics().AddModelStore(new ConfigurationBuilder().Build(), models).BuildServiceProvider();
        foreach (Type type in Directory.GetFiles(AppContext.BaseDirectory, Ours + "*.dll").Where(file => !file.EndsWith(".Tests.dll", StringComparison.Ordinal)).SelectMany(file => Assembly.LoadFrom(file).GetTypes()))
        {
            if (type.GetField("MeterName") is null) continue;
            if (type is { IsAbstract: true, IsSealed: true }) RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            else ActivatorUtilities.CreateInstance(services, type);
        }
        lock (found) return [.. found.DistinctBy(instrument => instrument.Name).OrderBy(instrument => instrument.Name, StringComparer.Ordinal)];
    }

    public static string Kind(Instrument instrument) => instrument.GetType().Name switch
    {
        "Counter`1" or "ObservableCounter`1" => "counter",
        "Histogram`1" => "histogram",
        "Gauge`1" or "ObservableGauge`1" => "gauge",
        var other => throw new InvalidDataException($"{instrument.Name} is a {other}; expected a counter, a gauge or a histogram"),
    };

    /// <summary>As Prometheus gets to see it.</summary>
    public static string Exported(Instrument instrument)
    {
        string unit = instrument.Unit switch
        {
            "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", "1" => Kind(instrument) == "gauge" ? "_ratio" : "",
            ['{', .., '}'] => "",
            var other => throw new InvalidDataException($"{instrument.Name} has the unit {other ?? "none"}; expected s, By, 1 or what is counted, in braces"),
        };
        return instrument.Name.Replace('.', '_') + unit + (Kind(instrument) == "counter" ? "_total" : "");
    }
}
