using System.Runtime.InteropServices;
using BeeFormer.Streaming.Contracts;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// A sentence transformer loaded from a Hugging Face sentence-transformers folder. Encoding is safe for several threads; training needs the encoder for itself.
/// There is no dropout, in training neither. The number of threads is torch's own setting, which the host decides.
/// </summary>
public sealed class SentenceEncoder : IDisposable
{
    private readonly EncoderFolder folder;
    private readonly EncoderWeights files;
    private readonly Pooling pooling;
    private readonly IReadOnlyList<ISentenceModule> modules;
    private readonly EncoderArithmetic asked;
    private readonly PaddedInference exact;
    private readonly Lock gate = new();
    private string? fingerprint;
    private volatile IInference? fast;
    private volatile bool weightsHandedOut;

    private SentenceEncoder(string path, EncoderFolder folder, EncoderWeights files, EncoderArithmetic asked)
    {
        this.folder = folder;
        this.files = files;
        this.asked = asked;
        NamedWeights Of(ModuleEntry module) => files.Of(path, module);

        Transformer = TokenEncoder.Of(folder.Config, Of(folder.Modules[0]));
        if (folder.Tokenizer.LargestId >= Transformer.VocabularySize)
            throw new InvalidDataException($"{path}: its tokenizer (tokenizer.json or the vocabulary in its place) gives ids up to {folder.Tokenizer.LargestId}; the vocabulary of config.json has {Transformer.VocabularySize}.");
        MaxSequenceLength = folder.Length(path, Transformer.MaxTokens);
        bool hasPooling = folder.Modules.Count > 1 && folder.Modules[1].Kind == "Pooling";
        if (hasPooling == Transformer.PoolsItself) throw folder.Config.Bad($"with this architecture the second module of modules.json must {(hasPooling ? "not " : "")}be Pooling");
        pooling = hasPooling ? Pooling.Read(folder.ModuleConfigs[folder.Modules[1].Path], Transformer.HiddenSize) : Pooling.First(Transformer.HiddenSize);
        int size = pooling.OutputSize;
        var rest = new List<ISentenceModule>();
        foreach (ModuleEntry module in folder.Modules.Skip(hasPooling ? 2 : 1))
        {
            rest.Add(module.Kind == "Dense" ? new Dense(folder.ModuleConfigs[module.Path], Of(module), size) : new Normalize(size));
            size = rest[^1].OutputSize;
        }
        modules = rest;
        Dimension = size;
        files.Complete();
        exact = new PaddedInference(Transformer, pooling, Device);
        if (asked == EncoderArithmetic.Int16 && !CanUseInt16) throw new InvalidDataException($"{path}: int16 arithmetic needs an x64 processor with AVX2 and FMA and a text encoder with BERT's layers; choose auto or float32.");
    }

    /// <summary>Loads a folder (<c>modules.json</c>, <c>config.json</c>, tokenizer, <c>model.safetensors</c>); int8 weights with scales are widened to float32.</summary>
    /// <param name="maxSequenceLength">Tokens a text is cut to, special tokens counted; null: the folder's own.</param>
    /// <param name="arithmetic">For <see cref="Encode"/>; gradients are float32 always.</param>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static SentenceEncoder Load(string folder, int? maxSequenceLength = null, EncoderArithmetic arithmetic = EncoderArithmetic.Auto) => Load(folder, maxSequenceLength, arithmetic, without: null);

    /// <param name="without">Paths of modules that are not the encoder's (such as a head saved as a Dense module); they are skipped.</param>
    internal static SentenceEncoder Load(string folder, int? maxSequenceLength, EncoderArithmetic arithmetic, Func<string, bool>? without)
    {
        EncoderFolder description = EncoderFolder.Read(folder, maxSequenceLength, without);
        EncoderWeights weights = EncoderWeights.Open(folder, description.Modules);
        try
        {
            return new SentenceEncoder(folder, description, weights, arithmetic);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The model that comes with the program (all-MiniLM-L6-v2, int8 weights).</summary>
    public static string DefaultFolder => Path.Combine(AppContext.BaseDirectory, "models", "all-MiniLM-L6-v2");

    /// <summary>Length of an embedding.</summary>
    public int Dimension { get; }

    /// <summary>Tokens a text is cut to, special tokens counted.</summary>
    public int MaxSequenceLength { get; }

    internal TokenEncoder Transformer { get; }

    /// <summary>What its modules use, in file order.</summary>
    private IReadOnlyList<(string Name, Tensor Value)> weights => files.Taken;

    /// <summary>
    /// SHA-256 over weights (as float32), tokenizer, maximum length and modules; stable over save and load. The text template and the head are not in it.
    /// Remembered until <see cref="Parameters"/> were asked for; from then on the weights may change, and it is computed each time (about 0.1 s for 90 MB).
    /// </summary>
    public Fingerprint Fingerprint
    {
        get
        {
            if (weightsHandedOut) return ComputeFingerprint();
            return new Fingerprint(fingerprint ??= ComputeFingerprint().Value);
        }
    }

    /// <summary>What this encoder is made of.</summary>
    public EncoderInfo Info => new(
        folder.Config.Text(folder.Config.Root, "model_type"), Dimension, weights.Sum(w => w.Value.numel()), Transformer.LayerCount, Transformer.HiddenSize, Transformer.HeadCount,
        Transformer.VocabularySize, folder.Tokenizer.Kind, MaxSequenceLength, pooling.Description, [.. modules.Select(m => m.Description)],
        folder.Prompts.Plain, folder.Prompts.Document, folder.Prompts.Query, Fingerprint);

    private Fingerprint ComputeFingerprint() => EncoderFingerprint.Of(Settings(), folder.Tokenizer.Digest, weights);

    private IEnumerable<string> Settings() =>
        [Transformer.Settings, pooling.Settings, .. modules.Select(m => m.Settings), $"length {MaxSequenceLength}", .. folder.Prompts.Settings];

    /// <summary>Token ids with special tokens, cut to <see cref="MaxSequenceLength"/>; the prompt of the role stands before the text. A lone surrogate counts as U+FFFD.</summary>
    public int[] Tokenize(string text, TextRole role = TextRole.Plain)
    {
        string prompt = folder.Prompts.Of(role);
        return folder.Tokenizer.Tokenize(prompt.Length == 0 ? text : prompt + text, MaxSequenceLength);
    }

    /// <summary>Embeddings in input order. Sorted by length and batched by token budget inside. No gradients.</summary>
    /// <param name="role">Which prompt of the folder stands before every text.</param>
    /// <param name="progress">Told the number of texts done so far.</param>
    public EmbeddingMatrix Encode(IReadOnlyList<string> texts, TextRole role = TextRole.Plain, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        EmbeddingMatrix result = EmbeddingMatrix.Zeros(texts.Count, Dimension);
        IInference inference = weightsHandedOut ? exact : fast ?? Settled();
        int done = 0;
        using IDisposable noGradients = inference_mode();
        foreach ((int first, int[][] tokens) in TokenisedBeside(texts, role))
            foreach (int[] batch in TokenBatches.Of(tokens, inference.TokensTogether))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using DisposeScope scope = NewDisposeScope();
                Tensor x = ThroughModules(inference.Pool([.. batch.Select(i => tokens[i])]));   // [batch, dimension]
                ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(x.cpu().contiguous().bytes);
                for (int row = 0; row < batch.Length; row++) values.Slice(row * Dimension, Dimension).CopyTo(result.Row(first + batch[row]));
                progress?.Report(done += batch.Length);
            }
        return result;
    }

    /// <summary>Texts tokenised together: many enough that few are padded, few enough that their tokens need little memory.</summary>
    private const int TextsTokenisedTogether = 2048;

    /// <summary>While a chunk is encoded, the next one is tokenised on another thread.</summary>
    private IEnumerable<(int First, int[][] Tokens)> TokenisedBeside(IReadOnlyList<string> texts, TextRole role)
    {
        int[][] Chunk(int first)
        {
            var tokens = new int[Math.Min(TextsTokenisedTogether, texts.Count - first)][];
            for (int i = 0; i < tokens.Length; i++) tokens[i] = Tokenize(texts[first + i], role);
            return tokens;
        }
        if (texts.Count == 0) yield break;
        int[][] current = Chunk(0);
        for (int first = 0; first < texts.Count; first += TextsTokenisedTogether)
        {
            int next = first + TextsTokenisedTogether;
            Task<int[][]>? beside = next < texts.Count ? Task.Run(() => Chunk(next)) : null;
            yield return (first, current);
            if (beside is not null) current = beside.GetAwaiter().GetResult();
        }
    }

    /// <summary>One padded batch through all modules: [texts, dimension] float32, with a graph where gradients are on. The caller owns the dispose scope.</summary>
    /// <param name="layersIn">Numbers that the layers compute in: float32, or bfloat16 where there are layers to freeze (see <see cref="LayerCount"/>).</param>
    public Tensor Forward(IReadOnlyList<int[]> tokens, ScalarType layersIn = ScalarType.Float32)
    {
        using DisposeScope scope = NewDisposeScope();
        if (layersIn == ScalarType.Float32 || LayerCount == 0) return ThroughModules(exact.Pool(tokens)).MoveToOuterDisposeScope();
        PaddedTokens batch = TokenBatches.Pad(tokens, Transformer, weights[0].Value.device);
        return Upper(Transformer.Embed(batch.Ids, batch.Positions).to_type(layersIn), batch, 0).MoveToOuterDisposeScope();
    }

    /// <param name="pooled">[texts, modes × hidden]</param>
    private Tensor ThroughModules(Tensor pooled)
    {
        foreach (ISentenceModule module in modules) pooled = module.Forward(pooled);
        return pooled;
    }

    /// <summary>Layers of the transformer that can be frozen one by one from below; 0 for CLIP.</summary>
    public int LayerCount => Transformer.Layers.Count;

    /// <summary>The output of the lowest layers: [texts, tokens of the longest, hidden].</summary>
    internal Tensor Lower(PaddedTokens batch, int layers) => Transformer.Lower(batch, layers);

    /// <summary>What remains after <see cref="Lower"/>: [texts, dimension] float32.</summary>
    /// <param name="hidden">float32 or bfloat16: the layers compute in its numbers.</param>
    internal Tensor Upper(Tensor hidden, PaddedTokens batch, int layers)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Transformer.Through(hidden, batch, layers, LayerCount);
        return ThroughModules(pooling.Forward(x.to_type(ScalarType.Float32), batch.Mask)).MoveToOuterDisposeScope();
    }

    /// <summary>Those of <see cref="Parameters"/> that still learn where the embeddings and the lowest layers are frozen; all of them for 0 layers.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> ParametersAbove(int layers)
    {
        if (layers == 0) return Parameters;
        var above = new HashSet<Tensor>(Transformer.Layers.Skip(layers).SelectMany(l => l.Parameters), ReferenceEqualityComparer.Instance);
        return [.. Parameters.Where(p => above.Contains(p.Value) || p.Name.Contains('/', StringComparison.Ordinal))];
    }

    /// <summary>Names what <see cref="Lower"/> computes: weights and settings up to that layer, but not what is above.</summary>
    internal Fingerprint LowerFingerprint(int layers)
    {
        var above = new HashSet<Tensor>(Transformer.Layers.Skip(layers).SelectMany(l => l.Parameters), ReferenceEqualityComparer.Instance);
        return EncoderFingerprint.Of([Transformer.Settings, $"the lowest {layers} layers"], [], weights.Where(w => !above.Contains(w.Value) && !w.Name.Contains('/', StringComparison.Ordinal)));
    }

    /// <summary>What <see cref="Encode"/> computes in: float32 while the weights may change.</summary>
    public EncoderArithmetic Arithmetic { get; private set; } = EncoderArithmetic.Float32;

    /// <summary>What this processor multiplies itself, from the most precise on; an encoder of a kind that lacks one of them says so when it is asked for.</summary>
    public static IReadOnlyList<EncoderArithmetic> Supported { get; } =
        [EncoderArithmetic.Float32, .. FixedPointEncoder.IsSupported ? [EncoderArithmetic.Int16] : Array.Empty<EncoderArithmetic>(), .. ArithmeticProbe.HasBFloat16 ? [EncoderArithmetic.BFloat16] : Array.Empty<EncoderArithmetic>()];

    private bool CanUseInt16 => FixedPointEncoder.IsSupported && Transformer.Layers.Count > 0;

    private IInference Settled()
    {
        lock (gate)
        {
            if (fast is not null) return fast;
            using IDisposable noGradients = no_grad();
            var candidates = new List<(EncoderArithmetic Arithmetic, Func<IInference> Build)> { (EncoderArithmetic.Float32, () => exact) };
            if (CanUseInt16) candidates.Add((EncoderArithmetic.Int16, InInt16));
            if (ArithmeticProbe.HasBFloat16 || asked == EncoderArithmetic.BFloat16) candidates.Add((EncoderArithmetic.BFloat16, InBFloat16));
            Arithmetic = asked == EncoderArithmetic.Auto
                ? ArithmeticProbe.Choose(Transformer.Settings, Transformer.Layers.Sum(l => l.WeightCount), Transformer, candidates)
                : asked;
            return fast = candidates.First(c => c.Arithmetic == Arithmetic).Build();
        }
    }

    private FixedPointInference InInt16() => new(Transformer, pooling, FixedPointEncoder.Of(Transformer.Layers));

    private PaddedInference InBFloat16()
    {
        List<(string Name, Tensor Value)> rounded = [.. weights.Select(w => (w.Name, w.Value.to_type(ScalarType.BFloat16).DetachFromDisposeScope()))];
        TokenEncoder transformer = TokenEncoder.Of(folder.Config, new NamedWeights("bfloat16", "", rounded.ToDictionary(w => w.Name, w => w.Value, StringComparer.Ordinal)));
        return new PaddedInference(transformer, pooling, rounded[0].Value.device, [.. rounded.Select(w => w.Value)]);
    }

    /// <summary>Whether all weights are finite numbers.</summary>
    public bool IsFinite
    {
        get
        {
            using IDisposable noGradients = no_grad();
            using DisposeScope scope = NewDisposeScope();
            return weights.All(w => w.Value.isfinite().all().cpu().data<bool>()[0]);
        }
    }

    /// <summary>The caller who was given <see cref="Parameters"/> changes them no more: fingerprint and fast forms are made once again.</summary>
    public void Settle()
    {
        lock (gate)
        {
            fast?.Dispose();
            fast = null;
            fingerprint = null;
            weightsHandedOut = false;
        }
    }

    /// <summary>Trainable tensors by their names in <c>model.safetensors</c> (of a Dense module: <c>2_Dense/linear.weight</c>), in file order; the unused pooler is not among them. They are leaves that want gradients.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters
    {
        get
        {
            weightsHandedOut = true;
            return weights;
        }
    }

    /// <summary>A second encoder with the same weights in memory of its own (to fine-tune).</summary>
    public SentenceEncoder Clone() => CloneTo(Device);

    /// <summary>The same on another device; <see cref="Encode"/> computes there in float32.</summary>
    public SentenceEncoder CloneTo(Device device) => new("clone", folder, files.CloneTo(device), device.type == DeviceType.CPU ? asked : EncoderArithmetic.Float32);

    /// <summary>Where its weights lie.</summary>
    public Device Device => weights[0].Value.device;

    /// <summary>
    /// Writes a folder that <see cref="Load(string, int?, EncoderArithmetic)"/> and Python's SentenceTransformer open: the files of the folder that this encoder was loaded from, byte for byte and under their own paths,
    /// with the present weights as float32. Without training and from float32 weights, <c>model.safetensors</c> comes out byte for byte, too.
    /// What differs from the source is said in its own place: another maximum length in the file that gave it, and <c>dtype</c> where the weights were of another type.
    /// Each weights file is whole or absent, but the folder as a whole is the caller's to publish.
    /// </summary>
    public void Save(string folder) => this.folder.Write(folder, this.folder.FilesFor(MaxSequenceLength, Transformer.MaxTokens), files);

    /// <summary>The tensors of its files, with those that no module takes.</summary>
    internal EncoderWeights Weights => files;

    /// <summary>The files of its folder but the weights.</summary>
    internal EncoderFolder Folder => folder;

    public void Dispose()
    {
        fast?.Dispose();
        files.Dispose();
    }
}
