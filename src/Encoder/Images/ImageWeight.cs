using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The learned weight w of an item's picture beside its text: <c>e = norm(norm(text) + w · norm(image))</c>, and <c>e = norm(text)</c> where there is no picture.
/// Its logarithm is what is learned, so w stays above 0; at the start w is 1, both count the same.
/// </summary>
internal sealed class ImageWeight : IDisposable
{
    internal const string FileName = "image_weight.json";
    private const string LogWeight = "log_weight";
    private static readonly Scalar One = 1.ToScalar();

    /// <param name="log">ln w</param>
    internal ImageWeight(float log = 0) => Log = tensor(new[] { log }, requires_grad: true).DetachFromDisposeScope();

    /// <summary>ln w [1], a leaf that wants a gradient.</summary>
    internal Tensor Log { get; }

    internal float Value
    {
        get
        {
            using IDisposable noGradients = no_grad();
            using DisposeScope scope = NewDisposeScope();
            return MathF.Exp(Log.detach().cpu().data<float>()[0]);
        }
    }

    /// <summary>e [texts, d] of length 1, with a graph where gradients are on.</summary>
    /// <param name="texts">[texts, d]</param>
    /// <param name="images">[pictures, d]; null: there are none.</param>
    /// <param name="rows">Row of each picture's text [pictures] int64, each at most once.</param>
    internal Tensor Combine(Tensor texts, Tensor? images, Tensor? rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor e = normalize(texts, p: 2, dim: 1);
        if (images is not null) e = normalize(e.index_add(0, rows!, normalize(images, p: 2, dim: 1) * Log.exp(), One), p: 2, dim: 1);
        return e.MoveToOuterDisposeScope();
    }

    /// <summary>The same in place of one text's embedding, without torch.</summary>
    internal static void Combine(Span<float> text, Span<float> image, float weight)
    {
        RowArithmetic.Normalize(text);
        RowArithmetic.Normalize(image);
        for (int i = 0; i < text.Length; i++) text[i] += weight * image[i];
        RowArithmetic.Normalize(text);
    }

    internal ImageWeight Clone()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return new ImageWeight(Log.detach().cpu().data<float>()[0]);
    }

    internal static ImageWeight Read(string folder)
    {
        JsonFile file = JsonFile.Read(Path.Combine(folder, FileName));
        JsonElement field = file.Field(file.Root, LogWeight, JsonValueKind.Number);
        return field.TryGetSingle(out float log) && float.IsFinite(MathF.Exp(log)) ? new ImageWeight(log) : throw file.Bad($"'{LogWeight}' is {field.GetRawText()}; expected the logarithm of a finite number");
    }

    internal void Write(string folder)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        float log = Log.detach().cpu().data<float>()[0];
        JsonFile.Write(Path.Combine(folder, FileName), json =>
        {
            json.WriteStartObject();
            json.WriteNumber(LogWeight, log);
            json.WriteEndObject();
        });
    }

    public void Dispose() => Log.Dispose();
}
