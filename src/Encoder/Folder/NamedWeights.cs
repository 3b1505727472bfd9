using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>The weights of one module, by their names in its safetensors file. Taking one checks its shape against what the configuration says.</summary>
internal sealed class NamedWeights
{
    private readonly string file;
    private readonly string prefix;
    private readonly IReadOnlyDictionary<string, Tensor> tensors;

    /// <param name="file">For messages.</param>
    /// <param name="prefix">What the encoder puts before the names of this module, such as <c>2_Dense/</c>.</param>
    internal NamedWeights(string file, string prefix, IReadOnlyDictionary<string, Tensor> tensors) => (this.file, this.prefix, this.tensors) = (file, prefix, tensors);

    internal Tensor Take(string name, params long[] shape)
    {
        if (!tensors.TryGetValue(prefix + name, out Tensor? tensor)) throw new InvalidDataException($"{file} has no tensor '{name}'; expected one of shape [{string.Join(", ", shape)}].");
        if (!tensor.shape.SequenceEqual(shape)) throw new InvalidDataException($"{file}: tensor '{name}' has the shape [{string.Join(", ", tensor.shape)}]; the configuration asks for [{string.Join(", ", shape)}].");
        return tensor;
    }

    internal bool Has(string name) => tensors.ContainsKey(prefix + name);
}
