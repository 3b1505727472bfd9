using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Both towers of a CLIP and the learned weight between them: an item's text and picture to one embedding of length 1, <c>norm(norm(text) + w · norm(image))</c>; a text without picture is <c>norm(text)</c>.
/// Encoding is safe for several threads; training needs the encoder for itself.
/// </summary>
public sealed class TextImageEncoder : IDisposable
{
    /// <summary>Below the text tower's folder: the image tower as a folder of its own, and <c>image_weight.json</c> with ln w as <c>log_weight</c>.</summary>
    internal const string ImageFolder = "images";

    /// <summary>Pictures whose pixel values are in memory together.</summary>
    private const int PicturesTogether = 64;

    private readonly ImageWeight weight;

    private TextImageEncoder(SentenceEncoder text, ImageEncoder image, ImageWeight weight) => (Text, Image, this.weight) = (text, image, weight);

    /// <summary>Loads what <see cref="Save"/> wrote, or a sentence-transformers folder of a CLIP as it came (w is 1).</summary>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static TextImageEncoder Load(string folder, int? maxSequenceLength = null, ImageLimits? limits = null, EncoderArithmetic arithmetic = EncoderArithmetic.Auto) =>
        Load(folder, SentenceEncoder.Load(folder, maxSequenceLength, arithmetic), limits);

    /// <param name="text">The text tower of that folder; disposed with what is returned, or when this fails.</param>
    public static TextImageEncoder Load(string folder, SentenceEncoder text, ImageLimits? limits = null)
    {
        string own = Path.Combine(folder, ImageFolder);
        bool saved = IsSaved(folder);
        ImageEncoder? image = null;
        try
        {
            image = ImageEncoder.Load(saved ? own : folder, limits);
            if (image.Dimension != text.Dimension) throw new InvalidDataException($"{folder}: texts have {text.Dimension} dimensions and images {image.Dimension}; expected the two towers of one CLIP.");
            return new TextImageEncoder(text, image, saved ? ImageWeight.Read(own) : new ImageWeight());
        }
        catch
        {
            image?.Dispose();
            text.Dispose();
            throw;
        }
    }

    /// <summary>Whether <see cref="Save"/> wrote this folder.</summary>
    internal static bool IsSaved(string folder) => File.Exists(Path.Combine(folder, ImageFolder, ImageWeight.FileName));

    /// <summary>The text tower.</summary>
    public SentenceEncoder Text { get; }

    /// <summary>The image tower.</summary>
    public ImageEncoder Image { get; }

    /// <summary>w, above 0.</summary>
    public float Weight => weight.Value;

    /// <summary>ln w [1], trained beside the parameters of the towers.</summary>
    public Tensor LogWeight => weight.Log;

    /// <summary>What learns beside the text tower: <c>images/</c> and the image tower's names, and <c>images/log_weight</c>.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> ImageParameters => [.. Image.Parameters.Select(p => ($"{ImageFolder}/{p.Name}", p.Value)), ($"{ImageFolder}/log_weight", LogWeight)];

    /// <summary>Length of an embedding.</summary>
    public int Dimension => Text.Dimension;

    /// <summary>SHA-256 over both towers, their preparation of texts and images, and w; stable over save and load, and never that of the text tower alone.</summary>
    public Fingerprint Fingerprint => new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        FormattableString.Invariant($"text and image 1\n{Text.Fingerprint}\n{Image.Fingerprint}\n{BitConverter.SingleToInt32Bits(Weight)}")))));

    /// <summary>Embeddings of length 1 in input order. No gradients.</summary>
    /// <param name="picture">The bytes of a text's image file, or null where it has none; asked once a text, in order.</param>
    /// <param name="refused">Told the text whose picture cannot be decoded, and why; its embedding is then that of the text alone.</param>
    public EmbeddingMatrix Encode(IReadOnlyList<string> texts, Func<int, byte[]?> picture, TextRole role = TextRole.Plain, Action<int, string>? refused = null, CancellationToken cancellationToken = default)
    {
        EmbeddingMatrix result = Text.Encode(texts, role, progress: null, cancellationToken);
        float w = Weight;
        var pending = new List<(int Row, float[] Pixels)>(PicturesTogether);
        for (int row = 0; row < texts.Count; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RowArithmetic.Normalize(result.Row(row));
            if (picture(row) is not { } file) continue;
            try
            {
                pending.Add((row, Image.Preprocess(file)));
            }
            catch (InvalidDataException e)
            {
                refused?.Invoke(row, e.Message);
            }
            if (pending.Count == PicturesTogether) Flush();
        }
        if (pending.Count > 0) Flush();
        return result;

        void Flush()
        {
            using IDisposable inference = inference_mode();
            using DisposeScope scope = NewDisposeScope();
            Tensor pixels = tensor(pending.SelectMany(p => p.Pixels).ToArray(), [pending.Count, 3, Image.ImageSize, Image.ImageSize]);
            float[] images = Image.Forward(pixels).cpu().contiguous().data<float>().ToArray(); // [pictures, dimension]
            for (int n = 0; n < pending.Count; n++) ImageWeight.Combine(result.Row(pending[n].Row), images.AsSpan(n * Dimension, Dimension), w);
            pending.Clear();
        }
    }

    /// <summary>Combines what the towers gave: [texts, dimension] of length 1, with a graph where gradients are on. The caller owns the dispose scope.</summary>
    /// <param name="texts">[texts, dimension]</param>
    /// <param name="images">[pictures, dimension]; null: no text has one.</param>
    /// <param name="rows">Row of each picture's text [pictures] int64, each at most once.</param>
    public Tensor Combine(Tensor texts, Tensor? images, Tensor? rows) => weight.Combine(texts, images, rows);

    /// <summary>A second encoder with the same weights in memory of its own (to fine-tune).</summary>
    public TextImageEncoder Clone() => new(Text.Clone(), Image.Clone(), weight.Clone());

    /// <summary>Writes the text tower as <see cref="SentenceEncoder.Save"/> does, and <c>images/</c> beside it. The folder as a whole is the caller's to publish.</summary>
    public void Save(string folder)
    {
        Text.Save(folder);
        string own = Path.Combine(folder, ImageFolder);
        Image.Save(own);
        weight.Write(own);
    }

    public void Dispose()
    {
        weight.Dispose();
        Image.Dispose();
        Text.Dispose();
    }
}
