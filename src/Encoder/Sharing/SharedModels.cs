namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// One copy of a published model in a process, whoever uses it. A folder that somebody uses is not read again; versions whose encoders consist of the same files (a new head changes
/// only the head's) share the encoder too, so that a new head costs no second set of weights (nor of their faster forms, see <see cref="EncoderArithmetic"/>). What nobody uses any more is disposed. Safe for several threads.
/// For folders that never change, such as published versions.
/// </summary>
public sealed class SharedModels
{
    private readonly Func<string, Func<string, bool>, SentenceEncoder> _load;
    private readonly Rentals<string, SharedModel> _models = new();
    private readonly Rentals<string, ItemEncoder> _encoders = new();

    /// <param name="arithmetic">What its encoders compute in.</param>
    /// <param name="pictures">Where the models find the pictures of items; null: there are none.</param>
    public SharedModels(EncoderArithmetic arithmetic = EncoderArithmetic.Auto, PictureFolder? pictures = null) : this((folder, without) => SentenceEncoder.Load(folder, maxSequenceLength: null, arithmetic, without)) => Pictures = pictures;

    /// <param name="load">Loads the encoder of a folder without the modules whose paths it is told to leave out.</param>
    internal SharedModels(Func<string, Func<string, bool>, SentenceEncoder> load) => _load = load;

    /// <summary>Where the models find the pictures of items; null: there are none.</summary>
    public PictureFolder? Pictures { get; }

    /// <summary>The model of a folder, as <see cref="EmbeddingModel.Load"/> gives it. Dispose it to give it back; to train its encoder, train a clone.</summary>
    /// <exception cref="InvalidDataException">Names the file and what was expected. It is not remembered: the next call reads the folder again.</exception>
    public EmbeddingModel Rent(string folder, EncoderOutputCache? cache)
    {
        Lease<SharedModel> model = _models.Rent(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), () => Load(folder));
        return new EmbeddingModel(model.Value.Encoder, model.Value.Head, model.Value.Text, cache, Pictures, owner: model);
    }

    private SharedModel Load(string folder)
    {
        var found = HeadFiles.Find(folder);
        Lease<ItemEncoder> encoder = _encoders.Rent(EncoderFiles.Digest(folder, found), () => ItemEncoder.Of(folder, _load(folder, module => found?.Modules.Contains(module) == true)));
        try
        {
            return new SharedModel(encoder, EmbeddingModel.ReadHead(folder, found, encoder.Value.Dimension), ItemTextFile.Read(folder));
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    private sealed class SharedModel(Lease<ItemEncoder> encoder, Head? head, ItemText text) : IDisposable
    {
        public ItemEncoder Encoder => encoder.Value;
        public Head? Head => head;
        public ItemText Text => text;
        public void Dispose() => encoder.Dispose();
    }
}
