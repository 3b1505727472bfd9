namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Hyper-parameters of a training. In a policy file the names are in snake case (<c>max_output</c>). What a file does not name keeps the default given here; the defaults
/// are those that learned most per second of CPU on books, a gift shop and anime.
/// </summary>
public sealed record TrainingPolicy
{
    /// <summary>What is trained: <c>beeformer</c>, or for comparison <c>sentence_transformer</c> or <c>elsa</c>. Default beeformer.</summary>
    public PolicyType Type { get; init; }
    /// <summary>Types of interactions that are learned from, such as purchase; one without a weight of its own (<c>Trainer:TypeWeights</c>) weighs 1. Default: all that have a weight.</summary>
    public IReadOnlyList<string> EventValues { get; init; } = [];
    /// <summary>Where the encoder is trained: <c>cpu</c>, <c>cuda</c> (the first one) or <c>cuda:N</c>. The head, evaluation and serving use the CPU. Default cpu.</summary>
    public string Device { get; init; } = "cpu";
    /// <summary>The item chunks of an encoder step are spread over several devices of this machine, their gradients summed: the result is that of one device. Default false.</summary>
    public bool TrainDistributed { get; init; }
    /// <summary>The devices of <see cref="TrainDistributed"/>, in the form of <see cref="Device"/>; one may be named several times. Default: all CUDA devices for <c>device: cuda</c>, else the one device.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];
    /// <summary>Items are learned from and served with their pictures; needs an encoder with an image tower and a folder of pictures (<c>Images:Folder</c>). Default false.</summary>
    public bool UseImages { get; init; }
    /// <summary>Draws batches, negatives, splits and bootstrap; the same seed on the same window trains the same model. Default 42.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Head over the encoder's outputs: <c>words</c> (W and a vector for each word) or <c>none</c> (plain beeFormer: the encoder alone is trained). Default words.</summary>
    public HeadKind Head { get; init; } = HeadKind.Words;
    /// <summary>Steps of a fresh head. Default 800: long texts gain up to there, short titles are learned in 400 and lose nothing.</summary>
    public int HeadSteps { get; init; } = 800;
    /// <summary>Steps of a head that starts from the one in service. Default 60.</summary>
    public int HeadWarmSteps { get; init; } = 60;
    /// <summary>Learning rate of W; falls linearly to 0. Default 2e-3.</summary>
    public double HeadLr { get; init; } = 2e-3;
    /// <summary>Learning rate of the word vectors. Default 1e-2.</summary>
    public double HeadWordLr { get; init; } = 1e-2;
    /// <summary>Share of an item's words that a step leaves out. Default 0.4: rare words learn items by heart without it.</summary>
    public double HeadDropout { get; init; } = 0.4;
    /// <summary>Two neighbouring words count as a word of their own, too, in a head that starts anew. Default true.</summary>
    public bool HeadPairs { get; init; } = true;
    /// <summary>Words of items' attributes count, too, in a head that starts anew. Default true.</summary>
    public bool HeadAttributes { get; init; } = true;
    /// <summary>Items drawn in a head step. Default 1,024.</summary>
    public int HeadOutput { get; init; } = 1024;

    /// <summary>Learning rate of the encoder. Default 2e-4; 3e-5 with batching users reproduces the published 1e-5 (which acts three times).</summary>
    public double Lr { get; init; } = 2e-4;
    /// <summary>Warm-up and cosine decay; without it the rate stays constant. Default true.</summary>
    public bool UseScheduler { get; init; } = true;
    /// <summary>How an encoder step is drawn: <c>items</c> or <c>users</c> (published). Default items: at equal work it learned far more on a CPU.</summary>
    public Batching Batching { get; init; } = Batching.Items;
    /// <summary>Encoder steps; 0: as many as <see cref="Epochs"/> says. Default 0.</summary>
    public int EncoderSteps { get; init; }
    /// <summary>Passes over all items (batching items) or all users (batching users). Default 6.</summary>
    public int Epochs { get; init; } = 6;
    /// <summary>Items of an encoder step; with batching users the positives come on top of no cap. Default 512.</summary>
    public int MaxOutput { get; init; } = 512;
    /// <summary>Users of a step with batching users. Default 1,024.</summary>
    public int BatchSize { get; init; } = 1024;
    /// <summary>Only a row's positives and its k largest other predictions enter the loss; 0: all. Default 0.</summary>
    public int TopK { get; init; }
    /// <summary>Texts that go through the encoder at once in training. Default 32.</summary>
    public int EmbedderBatchSize { get; init; } = 32;
    /// <summary>Memory for graphs kept from the first pass, in MiB: chunks that fit it are not encoded twice. Default 2,048.</summary>
    public int GraphMemoryMb { get; init; } = 2048;
    /// <summary>
    /// Resident memory of the process, in MiB, that a training keeps within: it keeps fewer graphs, encodes fewer texts and takes fewer users at once, and is refused where that does not suffice.
    /// What the process holds before the steps begin, the window among it, counts: with a bound the same seed gives the same model only to within rounding, and a head that had to take fewer users a different one. Default: none.
    /// </summary>
    public int? MaxMemory { get; init; }
    /// <summary>Share of the lower layers (with the embeddings) that keep their weights. Default 0.5: halves the work and costs little.</summary>
    public double FrozenLayers { get; init; } = 0.5;
    /// <summary>Room on disk for the outputs of the frozen layers, in MiB (about 2 × hidden × tokens bytes a text): what fits is computed once. Default 8,192; 0: computed each time.</summary>
    public int FrozenCacheMb { get; init; } = 8192;
    /// <summary>Numbers that the encoder's layers compute in while it learns; weights, their gradients and the loss are float32 always. Default auto: bfloat16 where the processor multiplies it.</summary>
    public TrainingArithmetic Arithmetic { get; init; }
    /// <summary>Gradients are scaled down to this norm; 0: never. Default 1.</summary>
    public double ClipNorm { get; init; } = 1;
    /// <summary>Encoder training ends after this time, to within one step; a run that it cuts short is not reproducible. Default: none.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>What a training starts from, see <see cref="Trainer.WarmStart"/>. Default incumbent.</summary>
    public WarmStart WarmStart { get; init; } = WarmStart.Incumbent;
    /// <summary>
    /// Share that older history has in what is learned from, where the window is cut; 0: the window alone. Drawn by user, whole histories: the loss learns which items go together, and single interactions
    /// of many users would keep hardly a pair. Default 0.1: enough to be heard in every step, and it costs a tenth of it.
    /// </summary>
    public double ReplayShare { get; init; } = 0.1;
    /// <summary>Share a of the incumbent in the weights that are measured and published: (1 − a) · trained + a · incumbent. 0: none. Default 0.</summary>
    public double WeightAveraging { get; init; }
    /// <summary>Newest share of what may be learned from that is kept back to look for the best step; 0: no early stopping. Default 0: the newest interactions are worth more learned.</summary>
    public double ValidationShare { get; init; }
    /// <summary>Steps between two looks at the validation slice. Default 20: keeps their cost below a tenth of the training.</summary>
    public int ValidateEvery { get; init; } = 20;
    /// <summary>Looks without a better value after which a training ends. Default 3.</summary>
    public int Patience { get; init; } = 3;
    /// <summary>An encoder training can be resumed from where it was so long ago at most; 0: it starts over. Default 1 min.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>sentence-transformers folder to start from, or the name of the bundled encoder, <c>sentence-transformers/all-MiniLM-L6-v2</c>; null: the encoder that the program was given.</summary>
    public string? Embedder { get; init; }
    /// <summary>Tokens a text is cut to; null: as configured. </summary>
    public int? MaxSeqLength { get; init; }

    /// <summary>Newest share of the window that is held out to compare models. Default 0.1.</summary>
    public double HoldoutShare { get; init; } = 0.1;
    /// <summary>Users in the held-out slice without whom no comparison is made. Default 20.</summary>
    public int MinHoldoutUsers { get; init; } = 20;
    /// <summary>What decides between two models. Default ndcg@100.</summary>
    public GateMetric Metric { get; init; } = GateMetric.Ndcg100;
    /// <summary>Weight of the items that were new at the split in the deciding metric; the known items have the rest. Default 0.5.</summary>
    public double ColdWeight { get; init; } = 0.5;
    /// <summary>Probability (paired bootstrap over users) that the challenger is better, from which on it is promoted. Default 0.95.</summary>
    public double MinProbability { get; init; } = 0.95;
    /// <summary>Share that any other measure may lose against the incumbent; a larger loss counts when the bootstrap is nine tenths sure that it is one. Default 0.1.</summary>
    public double Tolerance { get; init; } = 0.1;
    /// <summary>Share of its catalogue coverage that the challenger may lose: learning what people choose narrows what is shown. Default 0.5.</summary>
    public double CoverageTolerance { get; init; } = 0.5;
    /// <summary>Mean cosine between item vectors above which they count as collapsed. Default 0.95.</summary>
    public double MaxMeanCosine { get; init; } = 0.95;
    /// <summary>Effective rank of the item vectors below which they count as collapsed. Default 2.</summary>
    public double MinEffectiveRank { get; init; } = 2;

    /// <summary>Share that the answers to an old slice, which both models have learned, may lose: more counts as forgetting when the bootstrap is nine tenths sure of a loss. Default 0.2.</summary>
    public double ForgettingTolerance { get; init; } = 0.2;
    /// <summary>Texts, beside the built-in ones, that a model must embed as finite vectors of some length. Default: none.</summary>
    public IReadOnlyList<string> CanaryTexts { get; init; } = [];
    /// <summary>Share of shortened item texts that must find their own item near them. Default 0.5.</summary>
    public double MinCanariesFound { get; init; } = 0.5;

    /// <summary>The TF-IDF baseline leaves out words that more than this share of the items use: a list of stop words in any language. 1: keeps all. Default 0.03.</summary>
    public double TfIdfMaxShare { get; init; } = 0.03;
    /// <summary>Length of an item's vector in ELSA, the collaborative baseline. Default 64.</summary>
    public int ElsaFactors { get; init; } = 64;
    /// <summary>Passes over the users, at most 200 steps of 256 users; 0: ELSA is not trained. Default 10.</summary>
    public int ElsaEpochs { get; init; } = 10;
    /// <summary>Items that ELSA learns, those with most users first. Default 10,000.</summary>
    public int ElsaMaxItems { get; init; } = 10_000;

    /// <summary>Reads a policy YAML file.</summary>
    /// <exception cref="InvalidDataException">Names file, line, column and what was expected.</exception>
    public static TrainingPolicy Load(string file) => PolicyReader.Read(file);
}

public enum PolicyType
{
    /// <summary>Encoder and head, learned from interactions.</summary>
    Beeformer,
    /// <summary>The encoder as it came: nothing is trained.</summary>
    SentenceTransformer,
    /// <summary>Items by their interactions alone (Vančura et al. 2022): trained and measured beside the model in service, never served, since it knows no new item and no text.</summary>
    Elsa,
}

public enum HeadKind { Words, None }

public enum Batching { Items, Users }

/// <summary>What a training starts from.</summary>
public enum WarmStart
{
    /// <summary>The model in service: its encoder, its head.</summary>
    Incumbent,
    /// <summary>The untrained encoder (encoder tempo), a fresh head.</summary>
    Base,
    /// <summary>The encoder in service; the head is learned from the one in service and afresh, and the better one on a validation slice goes on.</summary>
    Both,
}

public enum GateMetric { Ndcg100, Recall20, Recall50 }
