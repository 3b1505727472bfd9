using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// What is versioned, fingerprinted, indexed and served: the pair (encoder, head) with its text template. Safe for several threads.
/// A loaded model disposes its encoder, one rented from <see cref="SharedModels"/> gives it back, one built from an encoder borrows it. The encoder must not be trained further while a model uses it: train a clone.
/// </summary>
public sealed class EmbeddingModel : IDisposable
{
    /// <summary>Items that one thread takes at once.</summary>
    private const int MostTogether = 64;
    /// <summary>Bytes; larger arrays are collected late.</summary>
    private const int SmallArray = 80_000;

    private readonly ItemEncoder _encoder;
    private readonly ItemText _text;
    private readonly PictureFolder? _pictures;
    private readonly EncoderOutputCache? _cache;
    private readonly IDisposable? _owner;

    /// <param name="head">Null: vectors are the encoder's own, scaled to length 1.</param>
    /// <param name="cache">Null: every text is encoded each time.</param>
    public EmbeddingModel(SentenceEncoder encoder, Head? head, ItemText text, EncoderOutputCache? cache) : this(new ItemEncoder(encoder), head, text, cache, pictures: null, owner: null) { }

    /// <param name="head">Null: vectors are the encoder's own, scaled to length 1.</param>
    /// <param name="cache">Null: every item is encoded each time.</param>
    /// <param name="pictures">Where an encoder with an image tower finds the items' pictures; null: there are none.</param>
    public EmbeddingModel(ItemEncoder encoder, Head? head, ItemText text, EncoderOutputCache? cache, PictureFolder? pictures) : this(encoder, head, text, cache, pictures, owner: null) { }

    /// <param name="owner">Disposed with the model; null: the encoder is borrowed.</param>
    internal EmbeddingModel(ItemEncoder encoder, Head? head, ItemText text, EncoderOutputCache? cache, PictureFolder? pictures, IDisposable? owner)
    {
        if (head is not null && head.EncoderDimension != encoder.Dimension)
            throw new ArgumentException($"The head was made for encoder outputs of dimension {head.EncoderDimension}; the encoder gives {encoder.Dimension}.", nameof(head));
        _encoder = encoder;
        Head = head;
        _text = text;
        _cache = cache;
        _pictures = pictures;
        _owner = owner;
        Fingerprint = new Fingerprint(Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes($"model 1\n{encoder.Fingerprint}\n{head?.Fingerprint.Value ?? "none"}\n{text.Template}"))));
    }

    /// <summary>Loads what <see cref="Save"/> wrote, or a plain sentence-transformers folder (no head, the default text template). It looks for no pictures: see <see cref="SharedModels"/>.</summary>
    /// <param name="maxSequenceLength">Tokens a text is cut to; null: the folder's own.</param>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static EmbeddingModel Load(string folder, EncoderOutputCache? cache, int? maxSequenceLength = null, EncoderArithmetic arithmetic = EncoderArithmetic.Auto)
    {
        var files = HeadFiles.Find(folder);
        var encoder = ItemEncoder.Of(folder, SentenceEncoder.Load(folder, maxSequenceLength, arithmetic, module => files is not null && files.Modules.Contains(module)));
        try
        {
            return new EmbeddingModel(encoder, ReadHead(folder, files, encoder.Dimension), ItemTextFile.Read(folder), cache, pictures: null, owner: encoder);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <returns>Null where the folder holds no head.</returns>
    internal static Head? ReadHead(string folder, HeadFiles.Found? files, int encoderDimension)
    {
        if (files is null) return null;
        Head head = HeadFiles.Read(folder);
        return head.EncoderDimension == encoderDimension ? head
            : throw new InvalidDataException($"{folder}: the head was made for encoder outputs of dimension {head.EncoderDimension}; the encoder gives {encoderDimension}.");
    }

    /// <summary>The text encoder; where there are two towers, the text tower.</summary>
    public SentenceEncoder Encoder => _encoder.Text;
    /// <summary>All that encodes items.</summary>
    public ItemEncoder ItemEncoder => _encoder;
    public Head? Head { get; }
    /// <summary>How this model's items become texts.</summary>
    public ItemText Text => _text;
    /// <summary>Covers encoder, head and text template: decides every vector.</summary>
    public Fingerprint Fingerprint { get; }
    public int Dimension => Head?.Dimension ?? _encoder.Dimension;

    /// <summary>The same encoder, template and cache with another head. It borrows this model's encoder: dispose this one last.</summary>
    public EmbeddingModel WithHead(Head? head) => new(_encoder, head, _text, _cache, _pictures);

    /// <summary>Vectors of length 1 for item texts, in input order; encoder outputs come from the cache where it has them and go into it where not.</summary>
    public EmbeddingMatrix EmbedTexts(IReadOnlyList<string> texts, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        EmbedItems(texts, texts, imageUrls: null, progress, cancellationToken);

    /// <summary>The same for items, through the text template, with the words of their attributes where the head knows any, and with their pictures where the encoder takes any.</summary>
    public EmbeddingMatrix EmbedItems(IReadOnlyList<ItemEvent> items, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var (texts, words) = (new string[items.Count], new string[items.Count]);
        RowBlocks.ForEach(items.Count, MostTogether, (first, end) =>
        {
            for (int n = first; n < end; n++) (texts[n], words[n]) = _text.Both(items[n]);
        });
        return EmbedItems(texts, words, [.. items.Select(item => item.ImageUrl)], progress, cancellationToken);
    }

    /// <summary>The same, an array an item. What the cache has passes by a few items at a time: a new head over a large catalogue makes no large arrays.</summary>
    public float[][] EmbedEach(IReadOnlyList<ItemEvent> items, CancellationToken cancellationToken = default)
    {
        var vectors = new float[items.Count][];
        if (_cache is not null && _encoder.Both is null) // with pictures the cache is asked about those, too
            RowBlocks.ForEach(items.Count, Math.Clamp(SmallArray / (sizeof(float) * Math.Max(_encoder.Dimension, Dimension)), 1, MostTogether), (first, end) =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (texts, words) = (new string[end - first], new string[end - first]);
                for (int n = first; n < end; n++) (texts[n - first], words[n - first]) = _text.Both(items[n]);
                if (_cache.TryGet(_encoder.Text, texts) is not { } outputs) return;
                EmbeddingMatrix found = Finish(outputs, texts, words);
                for (int n = first; n < end; n++) vectors[n] = found.Row(n - first).ToArray();
            });
        int[] missing = [.. Enumerable.Range(0, vectors.Length).Where(n => vectors[n] is null)];
        if (missing.Length == 0) return vectors;
        EmbeddingMatrix rest = EmbedItems([.. missing.Select(n => items[n])], progress: null, cancellationToken);
        for (int n = 0; n < missing.Length; n++) vectors[missing[n]] = rest.Row(n).ToArray();
        return vectors;
    }

    /// <param name="texts">What the encoder reads: <see cref="ItemText.Of(ItemEvent)"/> by this model's template.</param>
    /// <param name="words">What a head finds words in, <see cref="ItemText.WordsOf"/>; one that does not look at attributes finds them in <paramref name="texts"/>.</param>
    /// <param name="imageUrls">One a text, null where it has no picture; null: none has one.</param>
    public EmbeddingMatrix EmbedItems(IReadOnlyList<string> texts, IReadOnlyList<string> words, IReadOnlyList<string?>? imageUrls, IProgress<int>? progress = null, CancellationToken cancellationToken = default) =>
        Finish(_encoder.Encode(texts, imageUrls, _pictures, _cache, progress, cancellationToken), texts, words);

    /// <summary>The vector of a free-text query, by the same path as an item's text; not cached.</summary>
    public float[] EmbedQuery(string text) => Finish(_encoder.EncodeQuery(text), [text], [text]).Values;

    /// <summary>
    /// Writes the encoder with W as a last Dense module (Python opens it unchanged), <c>head/</c> beside it (see <see cref="Encoder.Head.Save"/>), and a text template other than the default one (<c>item_text.json</c>).
    /// The encoder's files come out byte for byte the same for the same encoder, so a store can share them between versions.
    /// </summary>
    public void Save(string folder)
    {
        _encoder.Save(folder);
        Head?.Save(folder);
        ItemTextFile.Write(folder, _text);
    }

    private EmbeddingMatrix Finish(EmbeddingMatrix encoderOutputs, IReadOnlyList<string> texts, IReadOnlyList<string> words)
    {
        if (Head is not null) return Head.Apply(encoderOutputs, Head.Shape.Reads(texts, words));
        for (int row = 0; row < encoderOutputs.Rows; row++) RowArithmetic.Normalize(encoderOutputs.Row(row));
        return encoderOutputs;
    }

    public void Dispose() => _owner?.Dispose();
}
