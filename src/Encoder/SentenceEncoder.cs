using BeeFormer.Streaming.Contracts;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A sentence transformer loaded from a Hugging Face sentence-transformers folder. Encoding is safe for several threads; training needs the encoder for itself.</summary>
public sealed class SentenceEncoder : IDisposable
{
    /// <summary>Loads a folder (<c>modules.json</c>, <c>config.json</c>, tokenizer, <c>model.safetensors</c>); int8 weights with scales are widened to float32.</summary>
    /// <param name="maxSequenceLength">Tokens a text is cut to, special tokens counted; null: the folder's own.</param>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static SentenceEncoder Load(string folder, int? maxSequenceLength = null) => throw new NotImplementedException();

    /// <summary>The model that comes with the program (all-MiniLM-L6-v2, int8 weights).</summary>
    public static string DefaultFolder => Path.Combine(AppContext.BaseDirectory, "models", "all-MiniLM-L6-v2");

    /// <summary>Length of an embedding.</summary>
    public int Dimension => throw new NotImplementedException();
    public int MaxSequenceLength => throw new NotImplementedException();

    /// <summary>SHA-256 over weights (as float32), tokenizer, maximum length and modules; stable over save and load. The text template and the head are not in it.</summary>
    public Fingerprint Fingerprint => throw new NotImplementedException();

    /// <summary>Token ids with special tokens, cut to <see cref="MaxSequenceLength"/>.</summary>
    public int[] Tokenize(string text) => throw new NotImplementedException();

    /// <summary>Embeddings in input order. Sorted by length and batched by token budget inside. No gradients.</summary>
    /// <param name="progress">Told the number of texts done so far.</param>
    public EmbeddingMatrix Encode(IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>One padded batch through all modules: [texts, dimension] float32, with a graph where gradients are on. The caller owns the dispose scope.</summary>
    public Tensor Forward(IReadOnlyList<int[]> tokens) => throw new NotImplementedException();

    /// <summary>Trainable tensors by their names in <c>model.safetensors</c>, in file order; the unused pooler is not among them.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => throw new NotImplementedException();

    /// <summary>A second encoder with the same weights in memory of its own (to fine-tune).</summary>
    public SentenceEncoder Clone() => throw new NotImplementedException();

    /// <summary>Writes a folder that <see cref="Load"/> and Python's SentenceTransformer open; weights as float32.</summary>
    public void Save(string folder) => throw new NotImplementedException();

    public void Dispose() { }
}
