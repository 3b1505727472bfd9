using System.Runtime.InteropServices;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The image tower of a CLIP: image files to embeddings that can be compared with those of its text tower. Encoding is safe for several threads; training needs the encoder for itself.
/// There is no dropout, in training neither. Arithmetic is float32; embeddings have length 1 only where the folder says so (a Normalize module).
/// </summary>
public sealed class ImageEncoder : IDisposable
{
    /// <summary>Images of a batch however few tokens each has: their pixels are in memory together.</summary>
    private const int MostImagesTogether = 64;

    private readonly JsonFile config;
    private readonly ClipVision vision;
    private readonly ImagePreprocessing preprocessing;
    private readonly bool normalized;
    private readonly EncoderWeights weights;
    private string? fingerprint;
    private volatile bool weightsHandedOut;

    private ImageEncoder(string path, JsonFile config, ImagePreprocessing preprocessing, bool normalized, ImageLimits limits, EncoderWeights weights)
    {
        (this.config, this.preprocessing, this.normalized, Limits, this.weights) = (config, preprocessing, normalized, limits, weights);
        vision = new ClipVision(config, weights.Of(path, ClipFolder.Model));
        if (preprocessing.CropSize != vision.ImageSize) throw config.Bad($"image_size is {vision.ImageSize}, but the image processor cuts out {preprocessing.CropSize} pixels");
        weights.Complete(carry: false);
    }

    /// <summary>
    /// Loads a folder: a CLIP's image tower alone (<c>model_type</c> <c>clip_vision_model</c>), a whole CLIP (<c>clip</c>), or a sentence-transformers folder of one, older or newer.
    /// It needs <c>config.json</c>, <c>preprocessor_config.json</c> or <c>processor_config.json</c>, and <c>model.safetensors</c>.
    /// </summary>
    /// <param name="limits">What an image may cost; null: the defaults of <see cref="ImageLimits"/>.</param>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static ImageEncoder Load(string folder, ImageLimits? limits = null) => Load(folder, limits, without: null);

    /// <param name="without">Paths of modules that are not the encoder's (such as a head saved as a Dense module); they are skipped.</param>
    internal static ImageEncoder Load(string folder, ImageLimits? limits, Func<string, bool>? without)
    {
        ClipFolder found = ClipFolder.Find(folder, without);
        ImagePreprocessing preprocessing = ImagePreprocessing.ReadFolder(found.Place);
        EncoderWeights weights = EncoderWeights.Open(found.Place, [ClipFolder.Model]);
        try
        {
            return new ImageEncoder(found.Place, found.Config, preprocessing, found.Normalized, limits ?? new ImageLimits(), weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Length of an embedding.</summary>
    public int Dimension => vision.OutputSize;

    /// <summary>Height and width of the pixel values that <see cref="Forward"/> takes.</summary>
    public int ImageSize => vision.ImageSize;

    /// <summary>What an image may cost.</summary>
    public ImageLimits Limits { get; }

    /// <summary>
    /// SHA-256 over weights (as float32), sizes and the preparation of images; stable over save and load. The limits are not in it.
    /// Remembered until <see cref="Parameters"/> were asked for; from then on the weights may change, and it is computed each time.
    /// </summary>
    public Fingerprint Fingerprint
    {
        get
        {
            if (weightsHandedOut) return ComputeFingerprint();
            return new Fingerprint(fingerprint ??= ComputeFingerprint().Value);
        }
    }

    private Fingerprint ComputeFingerprint() => EncoderFingerprint.Of([vision.Settings, preprocessing.Settings, normalized ? "normalize" : "as projected"], [], weights.Taken);

    /// <summary>
    /// The pixel values of an image file (JPEG, PNG, WebP, GIF or BMP; of an animation the first frame), as the model's own image processor in Python gives them:
    /// [3, size, size], row-major, size being <see cref="ImageSize"/>. Anything transparent is laid over white; the Exif orientation of a JPEG or WebP is followed.
    /// </summary>
    /// <exception cref="InvalidDataException">Says what is wrong with the file, or which of <see cref="Limits"/> it exceeds.</exception>
    public float[] Preprocess(ReadOnlySpan<byte> file)
    {
        var values = new float[ValuesOfImage];
        preprocessing.Apply(ImageDecoder.Decode(file, Limits), values);
        return values;
    }

    /// <summary>Embeddings of image files in input order, in batches; the next batch is decoded while one is encoded. No gradients.</summary>
    /// <param name="images">The bytes of the files, in the formats that <see cref="Preprocess"/> takes.</param>
    /// <param name="progress">Told the number of images done so far.</param>
    /// <exception cref="InvalidDataException">The first image, counted from 0, that cannot be used, and why.</exception>
    public EmbeddingMatrix Encode(IReadOnlyList<ReadOnlyMemory<byte>> images, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        EmbeddingMatrix result = EmbeddingMatrix.Zeros(images.Count, Dimension);
        int batch = (int)Math.Clamp(TokenBatches.DefaultBudget / vision.Tokens, 1, MostImagesTogether);
        using IDisposable inference = inference_mode();
        Task<float[]> next = Decoding(0);
        for (int start = 0; start < images.Count; start += batch)
        {
            float[] pixels = next.GetAwaiter().GetResult();
            int count = Math.Min(batch, images.Count - start);
            next = Decoding(start + count);
            using DisposeScope scope = NewDisposeScope();
            Tensor embeddings = Forward(tensor(pixels, [count, 3, ImageSize, ImageSize], device: weights.Taken[0].Value.device)).cpu().contiguous(); // [count, dimension]
            MemoryMarshal.Cast<byte, float>(embeddings.bytes).CopyTo(result.Values.AsSpan(start * Dimension, count * Dimension));
            progress?.Report(start + count);
        }
        return result;

        Task<float[]> Decoding(int start) => Task.Run(() => Decode(images, start, Math.Min(batch, images.Count - start), cancellationToken), cancellationToken);
    }

    /// <summary>Pixel values [count, 3, size, size] of neighbouring images, decoded in parallel.</summary>
    private float[] Decode(IReadOnlyList<ReadOnlyMemory<byte>> images, int start, int count, CancellationToken cancellationToken)
    {
        var values = new float[count * ValuesOfImage];
        var refused = new InvalidDataException?[count];
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken }, i =>
        {
            try
            {
                preprocessing.Apply(ImageDecoder.Decode(images[start + i].Span, Limits), values.AsSpan(i * ValuesOfImage, ValuesOfImage));
            }
            catch (InvalidDataException e)
            {
                refused[i] = new InvalidDataException($"Image {start + i}: {e.Message}", e);
            }
        });
        // Whatever the order of decoding was, the first bad image is the one that is named.
        return refused.FirstOrDefault(e => e is not null) is { } first ? throw first : values;
    }

    private int ValuesOfImage => 3 * ImageSize * ImageSize;

    /// <summary>Embeddings [images, dimension] float32, with a graph where gradients are on. The caller owns the dispose scope.</summary>
    /// <param name="pixels">[images, 3, size, size] float32, as <see cref="Preprocess"/> gives them.</param>
    public Tensor Forward(Tensor pixels) => Forward(pixels, hidden: null);

    /// <param name="hidden">Told each layer's output, beginning with the normalised patches.</param>
    internal Tensor Forward(Tensor pixels, Action<Tensor>? hidden)
    {
        if (pixels.dim() != 4 || pixels.shape[0] < 1 || !pixels.shape.AsSpan(1).SequenceEqual([3L, ImageSize, ImageSize]))
            throw new ArgumentException($"Pixel values have the shape [{string.Join(", ", pixels.shape)}]; expected [images, 3, {ImageSize}, {ImageSize}] with one image or more.", nameof(pixels));
        using DisposeScope scope = NewDisposeScope();
        Tensor embeddings = vision.Forward(pixels, hidden);
        return (normalized ? normalize(embeddings, p: 2, dim: 1) : embeddings).MoveToOuterDisposeScope();
    }

    /// <summary>Trainable tensors by their names in <c>model.safetensors</c>, in file order. They are leaves that want gradients.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters
    {
        get
        {
            weightsHandedOut = true;
            return weights.Taken;
        }
    }

    /// <summary>Whoever was given <see cref="Parameters"/> changes them no more: the fingerprint is made once again.</summary>
    public void Settle() => (fingerprint, weightsHandedOut) = (null, false);

    /// <summary>Whether all weights are finite numbers.</summary>
    public bool IsFinite
    {
        get
        {
            using IDisposable noGradients = no_grad();
            using DisposeScope scope = NewDisposeScope();
            return weights.Taken.All(w => w.Value.isfinite().all().cpu().data<bool>()[0]);
        }
    }

    /// <summary>A second encoder with the same weights in memory of its own (to fine-tune).</summary>
    public ImageEncoder Clone() => new("clone", config, preprocessing, normalized, Limits, weights.Clone());

    /// <summary>
    /// Writes the image tower as a folder of its own, whatever it was loaded from, that <see cref="Load(string, ImageLimits?)"/> and Python (<c>CLIPVisionModelWithProjection</c>, <c>CLIPImageProcessor</c>) open; weights as float32.
    /// The folder as a whole is the caller's to publish.
    /// </summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        JsonFile.Write(Path.Combine(folder, EncoderFolder.ConfigFile), vision.Write);
        JsonFile.Write(Path.Combine(folder, ImagePreprocessing.FileName), preprocessing.Write);
        if (normalized) JsonFile.Write(Path.Combine(folder, ModuleEntry.FileName), ClipFolder.WriteNormalized);
        weights.WriteTaken(Path.Combine(folder, WeightFile.Single));
    }

    public void Dispose() => weights.Dispose();
}
