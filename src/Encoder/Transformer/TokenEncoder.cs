using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A transformer that turns token ids into one vector a token: the part of an encoder that differs between architectures.</summary>
internal abstract class TokenEncoder
{
    /// <summary>Length of a token's vector.</summary>
    internal abstract int HiddenSize { get; }

    /// <summary>Longest sequence its positions reach.</summary>
    internal abstract int MaxPositions { get; }

    internal abstract int VocabularySize { get; }

    /// <summary>Fills up the shorter texts of a batch; masked, so any id of the vocabulary would do.</summary>
    internal abstract int PadId { get; }

    /// <summary>All settings that decide its output, for the fingerprint.</summary>
    internal abstract string Settings { get; }

    /// <param name="ids">[texts, tokens] int64.</param>
    /// <param name="mask">[texts, tokens] bool, false at padding; null where nothing is padded.</param>
    /// <param name="hidden">Told each layer's output, beginning with the embeddings.</param>
    /// <returns>[texts, tokens, hidden]</returns>
    internal abstract Tensor Forward(Tensor ids, Tensor? mask, Action<Tensor>? hidden = null);

    /// <summary>The architecture that <c>config.json</c> names.</summary>
    internal static TokenEncoder Of(JsonFile config, NamedWeights weights) => JsonFile.OptionalText(config.Root, "model_type") switch
    {
        "bert" => new Bert(BertConfiguration.Read(config), weights),
        var other => throw config.Bad($"architecture '{other}' is not supported; expected model_type bert"),
    };
}
