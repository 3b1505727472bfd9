namespace BeeFormer.Streaming.Standalone.Hosting;

internal static class ManualTraining
{
    /// <summary>Trainings run only when the command asks: what is measured must not depend on the clock.</summary>
    public static readonly IReadOnlyDictionary<string, string?> Settings = new Dictionary<string, string?>
    {
        ["Trainer:EveryInteractions"] = "0",
        ["Trainer:Every"] = "00:00:00",
    };
}
