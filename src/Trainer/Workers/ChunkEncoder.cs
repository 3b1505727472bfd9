using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>An encoder at work on the chunks of a step: a worker's, and the Trainer's own. One thread.</summary>
/// <param name="lower">Frozen layers, whose outputs are kept; null: all of it is computed.</param>
/// <param name="weights">What learns.</param>
/// <param name="graphs">For graphs kept from the first pass.</param>
internal class ChunkEncoder(SentenceEncoder encoder, FrozenLayers? lower, ScalarType layersIn, IReadOnlyList<Tensor> weights, GraphMemory graphs) : IDisposable
{
    private readonly Dictionary<int, Tensor> _outputs = []; // with a graph

    public IReadOnlyList<Tensor> Weights => weights;

    public int Dimension => encoder.Dimension;

    /// <summary>A step begins, or the weights are others: graphs are of no use any more.</summary>
    public void Forget()
    {
        foreach (Tensor output in _outputs.Values) output.Dispose();
        _outputs.Clear();
        graphs.Clear();
    }

    /// <returns>Embeddings as bytes of float32 [texts, d].</returns>
    public virtual byte[] Embed(int number, int[][] tokens)
    {
        using var scope = NewDisposeScope();
        bool keep = !_outputs.ContainsKey(number) && graphs.TryTake(tokens);
        using var gradients = set_grad_enabled(keep);
        Tensor output = Encode(tokens);
        if (keep) _outputs[number] = output.DetachFromDisposeScope();
        return output.detach().cpu().contiguous().bytes.ToArray();
    }

    /// <summary>Adds what this chunk gives to the gradients of the weights.</summary>
    /// <param name="gradient">∂loss/∂embeddings, float32 [texts, d].</param>
    public virtual void BackPropagate(int number, int[][] tokens, ReadOnlySpan<byte> gradient)
    {
        using var scope = NewDisposeScope();
        using var withGradients = enable_grad();
        Tensor output = _outputs.Remove(number, out Tensor? kept) ? kept.MoveToOtherDisposeScope(scope) : Encode(tokens);
        Tensor values = empty(tokens.Length, encoder.Dimension);
        gradient.CopyTo(values.bytes);
        output.backward([values.to(encoder.Device)]);
    }

    /// <summary>Gradients of all weights since the last time, and 0 from now on.</summary>
    public byte[][] TakeGradients()
    {
        using var scope = NewDisposeScope();
        byte[][] taken = TensorBytes.Room(TensorBytes.Length(weights));
        TensorBytes.Read(weights.Select(weight => weight.grad ?? zeros(weight.shape)), taken);
        ClearGradients();
        return taken;
    }

    public void ClearGradients()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (Tensor weight in weights) weight.grad?.zero_();
    }

    private Tensor Encode(int[][] tokens) => lower is null ? encoder.Forward(tokens, layersIn) : lower.Forward(tokens, encoder, layersIn);

    public void Dispose()
    {
        Forget();
        GC.SuppressFinalize(this);
    }
}
