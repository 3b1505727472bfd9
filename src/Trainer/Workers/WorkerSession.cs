using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer.Wire;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What one training has at a worker: its encoder, and weights of one version. All but <see cref="Gate"/> and <see cref="Version"/> belongs to the compute thread.</summary>
internal sealed class WorkerSession : IDisposable
{
    private readonly SentenceEncoder _encoder;
    private readonly FrozenLayers? _lower;
    private readonly ChunkEncoder _chunks;
    private readonly int _vocabulary;

    private WorkerSession(Guid id, SentenceEncoder encoder, Opening opening, string lowerFolder, long graphBytes)
    {
        (Id, _encoder, _vocabulary) = (id, encoder, encoder.Info.VocabularySize);
        if (opening.FrozenLayers < 0 || opening.FrozenLayers > encoder.LayerCount) throw new InvalidDataException($"frozen_layers is {opening.FrozenLayers}; this encoder has {encoder.LayerCount}.");
        foreach ((_, Tensor value) in encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. encoder.ParametersAbove(opening.FrozenLayers).Select(p => p.Value.requires_grad_(true))];
        WeightBytes = TensorBytes.Length(weights);
        _lower = opening.FrozenLayers > 0 ? new FrozenLayers(encoder, opening.FrozenLayers, lowerFolder, Math.Max(0, opening.FrozenCacheBytes)) : null;
        _chunks = new ChunkEncoder(encoder, _lower, opening.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32, weights, new GraphMemory(StepMemory.GraphBytesPerToken(encoder), graphBytes));
    }

    public Guid Id { get; }
    public long WeightBytes { get; }
    /// <summary>One call at a time computes.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);
    /// <summary>0: no weights yet.</summary>
    public long Version { get; private set; }
    /// <summary>A later one of the same worker has taken the place.</summary>
    public bool Ended { get; private set; }

    /// <param name="folder">Of the encoder; not needed any more afterwards.</param>
    /// <param name="lowerFolder">Keeps what the frozen layers give.</param>
    /// <exception cref="InvalidDataException">The folder is no encoder, or another one than the opening says.</exception>
    public static WorkerSession Load(Guid id, Opening opening, string folder, string lowerFolder, Device device, long graphBytes)
    {
        SentenceEncoder encoder = SentenceEncoder.Load(folder);
        try
        {
            if (encoder.Fingerprint.Value != opening.Fingerprint) throw new InvalidDataException($"fingerprint is {opening.Fingerprint}; the files are those of {encoder.Fingerprint.Value}.");
            if (device.type != TorchSharp.DeviceType.CPU)
            {
                using SentenceEncoder onCpu = encoder;
                encoder = onCpu.CloneTo(device);
            }
            return new WorkerSession(id, encoder, opening, lowerFolder, graphBytes);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    public void TakeWeights(long version, byte[][] weights)
    {
        _chunks.Forget();
        TensorBytes.Write(weights, _chunks.Weights);
        Version = version;
    }

    public byte[] Embed(Chunk chunk) => _chunks.Embed(chunk.Number, Tokens(chunk, withGradient: false));

    public void BackPropagate(Chunk chunk) => _chunks.BackPropagate(chunk.Number, Tokens(chunk, withGradient: true), chunk.Gradient.Span);

    public void ClearGradients() => _chunks.ClearGradients();

    public byte[][] TakeGradients() => _chunks.TakeGradients();

    private int[][] Tokens(Chunk chunk, bool withGradient) => ChunkMessage.Tokens(chunk, _encoder.Dimension, _encoder.MaxSequenceLength, _vocabulary, withGradient);

    public void Dispose()
    {
        Ended = true;
        _chunks.Dispose();
        _lower?.Dispose();
        _encoder.Dispose();
    }
}
