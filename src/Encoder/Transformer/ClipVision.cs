using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>The image tower of CLIP (Radford et al. 2021), a vision transformer (Dosovitskiy et al. 2020): patches as tokens, the class token's vector projected to an embedding.</summary>
internal sealed class ClipVision
{
    internal const string ModelType = "clip_vision_model";

    /// <summary>Far above any CLIP in use; it bounds what a batch of pixel values takes.</summary>
    private const int LargestImage = 2048;

    private static readonly ClipSizes defaults = new(HiddenSize: 768, Layers: 12, Heads: 12, IntermediateSize: 3072, Projection: 512, Epsilon: 1e-5, Activation: "quick_gelu");

    private readonly ClipSizes sizes;
    private readonly int patchSize;
    private readonly Tensor patchWeight, classToken, positions, projection;
    private readonly LayerNorm preNorm, postNorm;
    private readonly IReadOnlyList<ClipLayer> layers;

    /// <param name="config"><c>config.json</c> of a whole CLIP or of this tower.</param>
    internal ClipVision(JsonFile config, NamedWeights weights)
    {
        (JsonElement tower, int projectionSize) = ClipSizes.Find(config, ModelType, "vision_config");
        sizes = ClipSizes.Read(config, tower, projectionSize, defaults);
        ImageSize = ClipSizes.Int(config, tower, "image_size", 224);
        patchSize = ClipSizes.Int(config, tower, "patch_size", 32);
        int channels = ClipSizes.Int(config, tower, "num_channels", 3);
        if (channels != 3) throw config.Bad($"num_channels {channels} is not supported; expected 3");
        if (ImageSize > LargestImage || patchSize > ImageSize) throw config.Bad($"image_size {ImageSize} with patch_size {patchSize} is not supported; expected at most {LargestImage}, and patches no larger than the image");
        long edge = ImageSize / patchSize;
        Tokens = edge * edge + 1;

        patchWeight = weights.Take("vision_model.embeddings.patch_embedding.weight", sizes.HiddenSize, channels, patchSize, patchSize);
        classToken = weights.Take("vision_model.embeddings.class_embedding", sizes.HiddenSize);
        positions = weights.Take("vision_model.embeddings.position_embedding.weight", Tokens, sizes.HiddenSize);
        preNorm = new LayerNorm(weights, "vision_model.pre_layrnorm", sizes.HiddenSize, sizes.Epsilon); // so spelt
        layers = ClipLayer.Read(weights, "vision_model", sizes, causal: false);
        postNorm = new LayerNorm(weights, "vision_model.post_layernorm", sizes.HiddenSize, sizes.Epsilon);
        projection = weights.Take("visual_projection.weight", sizes.Projection, sizes.HiddenSize);
    }

    /// <summary>Height and width of an image in pixels.</summary>
    internal int ImageSize { get; }

    /// <summary>Patches of an image and the class token.</summary>
    internal long Tokens { get; }

    /// <summary>Length of an embedding.</summary>
    internal int OutputSize => sizes.Projection;

    /// <summary>All settings that decide its output, for the fingerprint.</summary>
    internal string Settings => $"clip vision {ImageSize} {patchSize} {sizes}";

    /// <summary>Whether a tensor of a whole CLIP's file belongs to this tower.</summary>
    internal static bool Owns(string name) => name.StartsWith("vision_model.", StringComparison.Ordinal) || name.StartsWith("visual_projection.", StringComparison.Ordinal);

    /// <param name="pixels">[images, 3, size, size]</param>
    /// <param name="hidden">Told each layer's output, beginning with the normalised patches.</param>
    /// <returns>[images, projection]</returns>
    internal Tensor Forward(Tensor pixels, Action<Tensor>? hidden = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor patches = conv2d(pixels, patchWeight, strides: [patchSize, patchSize]);          // [images, hidden, edge, edge]
        Tensor tokens = patches.flatten(2).transpose(1, 2);                                     // [images, patches, hidden]
        Tensor first = classToken.expand(pixels.shape[0], 1, sizes.HiddenSize);                 // [images, 1, hidden]
        Tensor x = preNorm.Forward(cat([first, tokens], 1).Plus(positions));                        // [images, 1 + patches, hidden]
        x = ClipLayer.Forward(layers, x, hidden);
        return linear(postNorm.Forward(x.select(1, 0)), projection, null!).MoveToOuterDisposeScope();
    }

    /// <summary>A <c>config.json</c> of this tower alone, all settings spelt out.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("CLIPVisionModelWithProjection");
        json.WriteEndArray();
        json.WriteString("model_type", ModelType);
        json.WriteNumber("image_size", ImageSize);
        json.WriteNumber("patch_size", patchSize);
        json.WriteNumber("num_channels", 3);
        json.WriteNumber("hidden_size", sizes.HiddenSize);
        json.WriteNumber("num_hidden_layers", sizes.Layers);
        json.WriteNumber("num_attention_heads", sizes.Heads);
        json.WriteNumber("intermediate_size", sizes.IntermediateSize);
        json.WriteNumber("projection_dim", sizes.Projection);
        json.WriteNumber("layer_norm_eps", sizes.Epsilon);
        json.WriteString("hidden_act", sizes.Activation);
        json.WriteEndObject();
    }
}
