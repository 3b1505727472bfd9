using System.CommandLine;
using System.Text.Json;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Reports;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>encode</c>: texts to embeddings and token ids.</summary>
internal static class EncodeCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Option<string?> encoder = new("--encoder") { Description = "sentence-transformers folder; default: the encoder that comes with the program.", HelpName = "FOLDER" };
        Option<string> input = CommonOptions.RequiredFile("--input", "JSON Lines: {\"text\": …} a line, packed with gzip or not.");
        Option<string> output = CommonOptions.RequiredFile("--output", "safetensors file to write: tensor embeddings, float32 [texts, dimension], in input order.");
        Option<string?> tokens = CommonOptions.OptionalFile("--tokens", "JSON Lines file to write: {\"ids\": […]} a line.");
        Option<int?> length = new("--max-seq-length") { Description = "Tokens a text is cut to, special tokens counted; default: the encoder's own.", HelpName = "N" };
        Option<TextRole> role = new("--role") { Description = "Which prompt of the encoder stands before every text: that of a query, of a document, or the default one.", HelpName = "query|document|plain", DefaultValueFactory = _ => TextRole.Plain };
        Option<EncoderArithmetic> arithmetic = new("--arithmetic") { Description = "Numbers to compute in: float32 as Python does, auto (the fastest that this processor has), int16 or bfloat16.", HelpName = "float32|auto|int16|bfloat16", DefaultValueFactory = _ => EncoderArithmetic.Float32 };
        Option<string> data = CommonOptions.Data();
        var json = new JsonOption(console);
        var command = new Command("encode", "Turn texts into embeddings.") { encoder, input, output, tokens, length, role, arithmetic, data, json.Option };
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            IAnsiConsole people = json.People(parsed);
            TextRole asked = parsed.GetValue(role);
            List<string> texts = ReadTexts(parsed.GetRequiredValue(input));
            using SentenceEncoder model = StartEncoder.Load(parsed.GetValue(encoder), parsed.GetValue(length), parsed.GetValue(arithmetic));
            EmbeddingMatrix embeddings = await Progress.RunAsync(people, "Encoding", texts.Count, progress => model.Encode(texts, asked, progress, token));
            SafetensorsWriter.Write(parsed.GetRequiredValue(output), [SafetensorsTensor.Of("embeddings", embeddings)]);
            if (parsed.GetValue(tokens) is { } file) DurableFiles.Rewrite(file, stream => WriteTokens(stream, model, texts, asked));
            var report = new Encoded(texts.Count, embeddings.Dimension, model.MaxSequenceLength, model.Fingerprint.Value, model.Arithmetic.ToString().ToLowerInvariant());
            people.WriteLine($"{report.Texts} texts, dimension {report.Dimension}, at most {report.MaxSequenceLength} tokens, encoder {model.Fingerprint.Short}, {report.Arithmetic}.");
            json.Write(parsed, report);
            return 0;
        }, cancellationToken));
        return command;
    }

    private sealed record Encoded(int Texts, int Dimension, int MaxSequenceLength, string Fingerprint, string Arithmetic);

    private static List<string> ReadTexts(string file) =>
        [.. DataFile.Rows(file, ["text"], new HashSet<string> { "text" }).Select(row => row.Fields[0]
            ?? throw new DataSetException($"{file}, line {row.Line}: text is null; expected a string."))];

    private static void WriteTokens(Stream stream, SentenceEncoder encoder, IReadOnlyList<string> texts, TextRole role)
    {
        foreach (string text in texts)
        {
            JsonSerializer.Serialize(stream, new { ids = encoder.Tokenize(text, role) });
            stream.WriteByte((byte)'\n');
        }
    }
}
