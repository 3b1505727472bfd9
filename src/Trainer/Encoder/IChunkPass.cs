using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The chunks of one step on their way through the encoder: embeddings first and then, once the loss has given ∂loss/∂embeddings, the gradients of the weights.</summary>
internal interface IChunkPass : IDisposable
{
    /// <returns>[texts of all chunks, d] in the order of the chunks, without a graph.</returns>
    Tensor Embed();

    /// <summary>Adds to the <c>grad</c> of the encoder's weights.</summary>
    /// <param name="gradient">∂loss/∂embeddings [texts of all chunks, d]</param>
    void BackPropagate(Tensor gradient);
}
