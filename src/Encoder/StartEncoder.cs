namespace BeeFormer.Streaming.Encoder;

/// <summary>The encoder that a run starts from: the folder that the user names, else the one that comes with the program.</summary>
public static class StartEncoder
{
    /// <summary>What the bundled encoder is called where models are published.</summary>
    public const string BundledName = "sentence-transformers/all-MiniLM-L6-v2";

    /// <param name="named">Folder, or <see cref="BundledName"/>; null: <see cref="SentenceEncoder.DefaultFolder"/>.</param>
    /// <param name="maxSequenceLength">Tokens a text is cut to, special tokens counted; null: the folder's own.</param>
    /// <param name="arithmetic">What <see cref="SentenceEncoder.Encode"/> computes in.</param>
    /// <exception cref="InvalidDataException">Names the file and what was expected, and says what the user can do.</exception>
    public static SentenceEncoder Load(string? named, int? maxSequenceLength, EncoderArithmetic arithmetic = EncoderArithmetic.Auto)
    {
        if (named == BundledName && !Directory.Exists(named)) named = null;
        try
        {
            SentenceEncoder encoder = SentenceEncoder.Load(named ?? SentenceEncoder.DefaultFolder, maxSequenceLength, arithmetic);
            if (encoder.IsFinite) return encoder;
            encoder.Dispose();
            throw new InvalidDataException($"{named ?? SentenceEncoder.DefaultFolder}: its weights hold values that are not finite numbers");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message.TrimEnd('.')}. {(named is null ? DefaultAdvice : NamedAdvice)}", e);
        }
    }

    private const string DefaultAdvice = "This is the encoder that comes with the program: install the program again, or name another sentence-transformers folder (--encoder, Encoder:Path, or embedder of the policy).";
    private const string NamedAdvice = "Name a whole sentence-transformers folder of a supported architecture, or none: then the encoder that comes with the program is used.";
}
