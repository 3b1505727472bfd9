using System.Globalization;
using System.Text.Json;

namespace BeeFormer.Streaming.Encoder;

/// <summary>The sizes of a BERT, as <c>config.json</c> gives them.</summary>
internal sealed record BertConfiguration(
    int HiddenSize, int Layers, int Heads, int IntermediateSize, int VocabularySize, int MaxPositions, int TokenTypes, int PadId, double Epsilon, string Activation)
{
    internal static BertConfiguration Read(JsonFile file)
    {
        JsonElement json = file.Root;
        if (JsonFile.OptionalText(json, "position_embedding_type") is { } positions and not "absolute") throw file.Bad($"position_embedding_type '{positions}' is not supported; expected absolute");
        if (file.Bool(json, "is_decoder", otherwise: false)) throw file.Bad("a decoder is not supported; expected is_decoder false");
        double epsilon = JsonFile.Optional(json, "layer_norm_eps") is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : 1e-12;
        if (!(epsilon > 0 && epsilon < 1)) throw file.Bad($"'layer_norm_eps' is {epsilon.ToString(CultureInfo.InvariantCulture)}; expected a small positive number");
        var configuration = new BertConfiguration(
            file.Int(json, "hidden_size"), file.Int(json, "num_hidden_layers"), file.Int(json, "num_attention_heads"), file.Int(json, "intermediate_size"),
            file.Int(json, "vocab_size"), file.Int(json, "max_position_embeddings"), file.Int(json, "type_vocab_size"),
            JsonFile.Optional(json, "pad_token_id") is null ? 0 : file.Int(json, "pad_token_id", least: 0), epsilon, file.Text(json, "hidden_act"));
        if (configuration.HiddenSize % configuration.Heads != 0) throw file.Bad($"hidden_size {configuration.HiddenSize} is not a multiple of num_attention_heads {configuration.Heads}");
        if (configuration.PadId >= configuration.VocabularySize) throw file.Bad($"pad_token_id {configuration.PadId} is outside the vocabulary of {configuration.VocabularySize}");
        if (!Bert.Activations.Contains(configuration.Activation)) throw file.Bad($"hidden_act '{configuration.Activation}' is not supported; expected one of {string.Join(", ", Bert.Activations)}");
        return configuration;
    }
}
