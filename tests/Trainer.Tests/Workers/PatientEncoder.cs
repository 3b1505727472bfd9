using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>This machine's part of steps, which waits in each pass until some worker has given a share, or none is ready: steps of so tiny an encoder would be over before a worker has begun.</summary>
internal sealed class PatientEncoder(SentenceEncoder encoder, FrozenLayers? lower, Tensor[] weights, GraphMemory graphs) : ChunkEncoder(encoder, lower, ScalarType.Float32, weights, graphs)
{
    private long _received;

    /// <summary>Null: it does not wait.</summary>
    public TrainingWorkers? Workers { get; set; }

    /// <summary>A loss with this between the passes; a step begins.</summary>
    public Func<Tensor, int[], (float Loss, Tensor Gradient)> Waiting(Func<Tensor, int[], (float Loss, Tensor Gradient)> gradientOf, Action? between = null)
    {
        PassBegins();
        return (embeddings, order) =>
        {
            between?.Invoke();
            PassBegins();
            return gradientOf(embeddings, order);
        };
    }

    private void PassBegins() => _received = Workers?.Bytes.Received ?? 0;

    public override byte[] Embed(int number, int[][] tokens)
    {
        Wait();
        return base.Embed(number, tokens);
    }

    public override void BackPropagate(int number, int[][] tokens, ReadOnlySpan<byte> gradient)
    {
        Wait();
        base.BackPropagate(number, tokens, gradient);
    }

    private void Wait()
    {
        if (Workers is { } workers && !SpinWait.SpinUntil(() => workers.Ready.Count == 0 || workers.Bytes.Received > _received, TimeSpan.FromMinutes(1)))
            throw new TimeoutException("No worker has given a share, and some are ready.");
    }
}
