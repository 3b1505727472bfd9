using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>A bar for each phase of a training, in the order in which they begin.</summary>
internal sealed class PhaseBars(Bars bars) : IProgress<TrainingProgressed>
{
    private readonly Lock reporting = new();
    private string? phase;
    private Bar? bar;

    public void Report(TrainingProgressed value)
    {
        lock (reporting)
        {
            if (value.Phase != phase)
            {
                bar?.Finish();
                phase = value.Phase;
                bar = bars.Start(Title(value.Phase), 1);
            }
            bar!.Set(value.Fraction);
            string loss = value.Loss is { } l ? Text($", loss {l:F4}") : "", rate = value.ItemsPerSecond is { } r ? Text($", {r:F0} items/s") : "";
            string left = value.EtaSeconds is { } s && value.Fraction < 1 ? $", {Durations.Of(s)} left" : "";
            if (loss + rate + left is { Length: > 0 } more) bar.Say(Title(value.Phase) + more);
        }
    }

    /// <summary>Fills the last bar: the training is over.</summary>
    public void Finish()
    {
        lock (reporting) bar?.Finish();
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static string Title(string phase) => phase switch
    {
        "window" => "Reading the window",
        "encode" => "Encoding texts",
        "train" => "Training",
        "evaluate" => "Evaluating",
        _ => char.ToUpperInvariant(phase[0]) + phase[1..],
    };
}
