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
            if (value.Loss is { } loss) bar.Say(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Title(value.Phase)}, loss {loss:F4}"));
        }
    }

    /// <summary>Fills the last bar: the training is over.</summary>
    public void Finish()
    {
        lock (reporting) bar?.Finish();
    }

    private static string Title(string phase) => phase switch
    {
        "window" => "Reading the window",
        "encode" => "Encoding texts",
        "train" => "Training",
        "evaluate" => "Evaluating",
        _ => char.ToUpperInvariant(phase[0]) + phase[1..],
    };
}
