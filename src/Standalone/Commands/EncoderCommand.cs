using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.Reports;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>encoder info</c>: what the folder of an encoder holds.</summary>
internal static class EncoderCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Argument<string?> folder = new("FOLDER") { Description = "sentence-transformers folder, or that of a published model; default: the encoder that comes with the program.", Arity = ArgumentArity.ZeroOrOne };
        var json = new JsonOption(console);
        var info = new Command("info", "Load an encoder and tell what it is made of.") { folder, json.Option };
        info.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, _ =>
        {
            EncoderReport report = EncoderReport.Read(parsed.GetValue(folder) ?? SentenceEncoder.DefaultFolder);
            Print(json.People(parsed), report);
            json.Write(parsed, report);
            return Task.FromResult(0);
        }, cancellationToken));
        return new Command("encoder", "Encoders on disk.") { info };
    }

    private static void Print(IAnsiConsole console, EncoderReport report)
    {
        var table = new Table { ShowHeaders = false }.AddColumns("what", "how much");
        void Row(string what, string much) => table.AddRow(Markup.Escape(what), Markup.Escape(much));
        Row("folder", report.Folder);
        Row("architecture", report.Architecture);
        Row("dimension", Number(report.Dimension));
        Row("parameters", Number(report.Parameters));
        Row("layers, hidden size, heads", $"{Number(report.Layers)}, {Number(report.HiddenSize)}, {Number(report.Heads)}");
        Row("vocabulary", $"{Number(report.VocabularySize)} tokens, {report.Tokenizer}");
        Row("maximum length", $"{Number(report.MaxSequenceLength)} tokens");
        Row("modules", string.Join(", then ", report.Modules.Prepend($"pooling {report.Pooling}")));
        Row("default prompt", Prompt(report.DefaultPrompt));
        Row("document prompt", Prompt(report.DocumentPrompt));
        Row("query prompt", Prompt(report.QueryPrompt));
        Row("weights", $"{string.Join(", ", report.WeightTypes)}, {Number(report.WeightBytes)} bytes on disk");
        Row("licence", report.Licence ?? "not stated");
        Row("head", report.Head is { } head ? $"dimension {Number(head.Dimension)}, words {Number(head.Words)}" : "none");
        console.Write(table);
        // Below the table, where no narrow terminal breaks them in two.
        console.WriteLine($"fingerprint {report.Fingerprint}");
        if (report.Head is { } own) console.WriteLine($"with the head {own.ModelFingerprint}");
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Prompt(string prompt) => prompt.Length == 0 ? "none" : $"\"{prompt}\"";
}
