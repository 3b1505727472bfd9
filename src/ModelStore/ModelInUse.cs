namespace BeeFormer.Streaming.ModelStore;

/// <summary>A version whose files stay where they are until it is disposed.</summary>
/// <param name="EncoderFolder">Its model folder, loadable by the Encoder.</param>
/// <param name="Lease">Ends with it.</param>
public sealed record ModelInUse(ModelManifest Manifest, string EncoderFolder, IDisposable Lease) : IDisposable
{
    public void Dispose() => Lease.Dispose();
}
