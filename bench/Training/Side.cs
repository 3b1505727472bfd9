namespace BeeFormer.Streaming.Training;

/// <summary>A way to take a training step.</summary>
internal interface ISide : IDisposable
{
    string Name { get; }

    /// <summary>Draws, learns and moves the weights.</summary>
    /// <returns>Items that went through the encoder.</returns>
    int Step();
}
