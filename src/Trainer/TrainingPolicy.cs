namespace BeeFormer.Streaming.Trainer;

/// <summary>Hyper-parameters of a training.</summary>
public sealed record TrainingPolicy
{
    /// <summary>Reads a policy YAML file.</summary>
    /// <exception cref="InvalidDataException">Names file, line, column and what was expected.</exception>
    public static TrainingPolicy Load(string file) => throw new NotImplementedException();
}
