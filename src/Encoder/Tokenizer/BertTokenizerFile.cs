using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.Encoder;

/// <summary>What <c>tokenizer.json</c> says of a BERT tokenizer. Its truncation and padding are ignored: length is the encoder's business.</summary>
/// <param name="Prefix">Ids before every text.</param>
/// <param name="Suffix">Ids after every text.</param>
internal sealed record BertTokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary, string ContinuingPrefix, int Unknown, int MaxCharactersPerWord,
    BertNormalisation Normalisation, IReadOnlyList<SpecialToken> SpecialTokens, int[] Prefix, int[] Suffix)
{
    private const int LongestWordAllowed = 10_000;

    internal static BertTokenizerFile Read(JsonFile file)
    {
        JsonElement model = file.Field(file.Root, "model", JsonValueKind.Object);
        Expect(file, model, "model", "WordPiece");
        Dictionary<string, int> vocabulary = ReadVocabulary(file, model);
        string unknownText = file.Text(model, "unk_token");
        if (!vocabulary.TryGetValue(unknownText, out int unknown)) throw file.Bad($"the unknown token '{unknownText}' is not in the vocabulary");
        int longest = file.Int(model, "max_input_chars_per_word");
        if (longest > LongestWordAllowed) throw file.Bad($"'max_input_chars_per_word' is {longest}; at most {LongestWordAllowed} are supported");
        Expect(file, file.Field(file.Root, "pre_tokenizer", JsonValueKind.Object), "pre_tokenizer", "BertPreTokenizer");
        (int[] prefix, int[] suffix) = ReadTemplate(file);
        return new BertTokenizerFile(vocabulary, file.Text(model, "continuing_subword_prefix"), unknown, longest, ReadNormalisation(file), ReadSpecialTokens(file), prefix, suffix);
    }

    /// <summary>SHA-256 over all that decides ids, whatever the layout of the file it was read from.</summary>
    internal byte[] Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add($"wordpiece {ContinuingPrefix} {Unknown} {MaxCharactersPerWord} {Normalisation} {string.Join(' ', Prefix)} | {string.Join(' ', Suffix)}");
        foreach (SpecialToken token in SpecialTokens.OrderBy(t => t.Text, StringComparer.Ordinal)) Add(token.ToString());
        foreach ((string piece, int id) in Vocabulary.OrderBy(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal)) Add($"{id} {piece}");
        return hash.GetHashAndReset();
    }

    private static void Expect(JsonFile file, JsonElement part, string name, string type)
    {
        string? found = JsonFile.OptionalText(part, "type");
        if (found != type) throw file.Bad($"{name} '{found}' is not supported; expected {type}");
    }

    private static Dictionary<string, int> ReadVocabulary(JsonFile file, JsonElement model)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (JsonProperty piece in file.Field(model, "vocab", JsonValueKind.Object).EnumerateObject())
        {
            if (piece.Value.ValueKind != JsonValueKind.Number || !piece.Value.TryGetInt32(out int id) || id < 0) throw file.Bad($"the id of '{piece.Name}' is not a whole number from 0 on");
            vocabulary[piece.Name] = id;
        }
        return vocabulary;
    }

    private static BertNormalisation ReadNormalisation(JsonFile file)
    {
        JsonElement normalizer = file.Field(file.Root, "normalizer", JsonValueKind.Object);
        Expect(file, normalizer, "normalizer", "BertNormalizer");
        bool lowercase = file.Bool(normalizer, "lowercase", otherwise: true);
        return new BertNormalisation(
            Clean: file.Bool(normalizer, "clean_text", otherwise: true),
            SpaceCjk: file.Bool(normalizer, "handle_chinese_chars", otherwise: true),
            StripAccents: file.Bool(normalizer, "strip_accents", otherwise: lowercase),
            Lowercase: lowercase);
    }

    private static List<SpecialToken> ReadSpecialTokens(JsonFile file)
    {
        var tokens = new List<SpecialToken>();
        if (JsonFile.Optional(file.Root, "added_tokens") is not { ValueKind: JsonValueKind.Array } added) return tokens;
        foreach (JsonElement token in added.EnumerateArray())
        {
            string text = file.Text(token, "content");
            if (text.Length == 0) throw file.Bad("an added token is empty");
            if (file.Bool(token, "normalized", otherwise: false) || file.Bool(token, "single_word", otherwise: false))
                throw file.Bad($"added token '{text}' is matched in normalised text or as a whole word only, which is not supported");
            tokens.Add(new SpecialToken(text, file.Int(token, "id", least: 0), file.Bool(token, "lstrip", otherwise: false), file.Bool(token, "rstrip", otherwise: false)));
        }
        return tokens;
    }

    private static (int[] Prefix, int[] Suffix) ReadTemplate(JsonFile file)
    {
        if (JsonFile.Optional(file.Root, "post_processor") is not { } processor) return ([], []);
        string? type = JsonFile.OptionalText(processor, "type");
        if (type == "BertProcessing") return ([PairId(file, processor, "cls")], [PairId(file, processor, "sep")]);
        if (type != "TemplateProcessing") throw file.Bad($"post_processor '{type}' is not supported; expected TemplateProcessing or BertProcessing");

        List<int> prefix = [], suffix = [];
        JsonElement special = file.Field(processor, "special_tokens", JsonValueKind.Object);
        bool seen = false;
        foreach (JsonElement part in file.Field(processor, "single", JsonValueKind.Array).EnumerateArray())
        {
            if (JsonFile.Optional(part, "Sequence") is not null)
            {
                if (seen) throw file.Bad("the template of post_processor holds the text twice");
                seen = true;
                continue;
            }
            string name = file.Text(file.Field(part, "SpecialToken", JsonValueKind.Object), "id");
            foreach (JsonElement id in file.Field(file.Field(special, name, JsonValueKind.Object), "ids", JsonValueKind.Array).EnumerateArray())
            {
                if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int value) || value < 0) throw file.Bad($"the ids of special token '{name}' are not whole numbers from 0 on");
                (seen ? suffix : prefix).Add(value);
            }
        }
        if (!seen) throw file.Bad("the template of post_processor leaves the text out");
        return ([.. prefix], [.. suffix]);
    }

    private static int PairId(JsonFile file, JsonElement processor, string name)
    {
        JsonElement pair = file.Field(processor, name, JsonValueKind.Array);
        if (pair.GetArrayLength() != 2 || pair[1].ValueKind != JsonValueKind.Number || !pair[1].TryGetInt32(out int id) || id < 0) throw file.Bad($"'{name}' of post_processor is not [token, id]");
        return id;
    }
}
