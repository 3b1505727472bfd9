using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Standalone.Access;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>models list|show|activate|export|import</c>: what was published, the way back, and the way to another data folder.</summary>
internal static class ModelsCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Argument<string> shown = Version(), activated = Version(), exported = Version();
        Option<string?> output = CommonOptions.OptionalFile("--output", "Archive to write; default: the version's name with .tar.");
        Argument<string> archive = new("FILE") { Description = "Archive that models export has written." };
        return new Command("models", "Published models.")
        {
            AccessCommand.Create("list", "List models and say which is live.", console, [], (_, access, token) => access.ModelsAsync(token), Print),
            AccessCommand.Create("show", "Show one model, compare its files with what was published, and follow its lineage.", console, [shown],
                (parsed, access, token) => access.ModelAsync(parsed.GetRequiredValue(shown), token), Print),
            AccessCommand.Create("activate", "Make a model live (again), after looking whether it works.", console, [activated],
                (parsed, access, token) => access.ActivateAsync(parsed.GetRequiredValue(activated), token),
                (to, report) => to.WriteLine(report.Before == report.Activated ? $"Model {report.Activated} was live already." : $"Model {report.Activated} is live; before it was {report.Before ?? "none"}.")),
            AccessCommand.Create("export", "Write a model as one archive, the same bytes each time.", console, [exported, output], ModelAccess.Open,
                (parsed, access, people, token) => ExportAsync(access, people, parsed.GetRequiredValue(exported), parsed.GetValue(output), token),
                (to, report) => to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Model {report.Version} is in {report.File}, {report.Bytes:N0} bytes.")), _ => ExitCodes.Done),
            AccessCommand.Create("import", "Add a model from an archive, after checking all of it; it does not go live.", console, [archive], ModelAccess.Open,
                (parsed, access, people, token) => ImportAsync(access, people, parsed.GetRequiredValue(archive), token),
                (to, report) => to.WriteLine(report.Added
                    ? $"The model is here as {report.Version}; it is not live. To make it live: beeformer models activate {report.Version}." : $"The model was here already, as {report.Version}."), _ => ExitCodes.Done),
        };
    }

    private sealed record Exported(string Version, string File, long Bytes);

    private static Argument<string> Version() => new("VERSION") { Description = "As models list names it, such as 000012-9f3ab07c." };

    private static async Task<Exported> ExportAsync(IModelAccess access, IAnsiConsole people, string version, string? output, CancellationToken cancellationToken)
    {
        string file = output ?? $"{version}.tar", temporary = file + ".tmp";
        try
        {
            long bytes, expected = await access.ArchiveBytesAsync(version, cancellationToken);
            await using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                await Progress.CountAsync(people, "Writing the archive", expected, stream, counted => access.ExportAsync(version, counted, cancellationToken), cancellationToken);
                stream.Flush(flushToDisk: true);
                bytes = stream.Length;
            }
            DurableFiles.Replace(temporary, file);
            return new Exported(version, file, bytes);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static async Task<ImportReport> ImportAsync(IModelAccess access, IAnsiConsole people, string file, CancellationToken cancellationToken)
    {
        if (!File.Exists(file)) throw new IOException($"{file} does not exist; expected an archive that models export has written.");
        await using FileStream archive = File.OpenRead(file);
        ImportReport? report = null;
        await Progress.CountAsync(people, "Reading the archive", archive.Length, archive, async counted => report = await access.ImportAsync(counted, file, cancellationToken), cancellationToken);
        return report!;
    }

    private static void Print(IAnsiConsole console, ModelsReport report)
    {
        Dictionary<string, string> damaged = report.Damaged.ToDictionary(one => one.Version, one => one.Problem);
        var table = new Table().AddColumns("version", "", "published", "dimension", "learned from", "decision");
        foreach (ModelRow model in report.Models)
        {
            string from = model.ImportedFrom is { } origin ? $"imported as {origin}" : model.Parent ?? "—";
            Add(model.Version, AccessCommand.Time(model.PublishedAt), model.Dimension.ToString(CultureInfo.InvariantCulture), from, damaged.Remove(model.Version, out string? problem) ? problem : model.Decision, problem is not null, model.ErasedUsers);
        }
        foreach ((string version, string problem) in damaged) Add(version, "—", "—", "—", problem, broken: true);
        console.Write(table);
        if (report.Models.Count == 0) console.WriteLine("No model was published yet; the first start of serve does that.");

        void Add(string version, string published, string dimension, string from, string decision, bool broken, ErasedUsersRow? erased = null)
        {
            string state = version == report.Live ? "live" : version == report.Previous ? "previous" : "";
            if (erased is not null) state = string.Create(CultureInfo.InvariantCulture, $"{state}{(state.Length == 0 ? "" : ", ")}saw {erased.Users} erased");
            if (broken) state = state.Length == 0 ? "damaged" : $"{state}, damaged";
            table.AddRow(new Text(version), new Text(state), new Text(published), new Text(dimension), new Text(from), new Text(decision));
        }
    }

    private static void Print(IAnsiConsole console, ModelReport report)
    {
        var table = new Table().AddColumns("what", report.Version).HideHeaders();
        void Row(string what, string value) => table.AddRow(new Text(what), new Text(value));
        Row("version", report.Version + (report.Live ? ", live" : ""));
        Row("state", report.Problem is { } problem ? $"damaged: {problem}" : "whole: every file is as published");
        if (report.Model is { } model)
        {
            Row("fingerprint", model.Fingerprint);
            Row("published", AccessCommand.Time(model.PublishedAt));
            Row("dimension", model.Dimension.ToString(CultureInfo.InvariantCulture));
            Row("window", model.WindowHash ?? "—");
            if (model.ImportedFrom is { } origin) Row("imported", $"was {origin} where it was made");
            Row("files", string.Create(CultureInfo.InvariantCulture, $"{report.Files.Count}, {report.Files.Sum(file => file.Bytes):N0} bytes"));
            if (model.ErasedUsers is { } erased)
                Row("erased users", string.Create(CultureInfo.InvariantCulture, $"{erased.Users:N0} with {erased.Rows:N0} interactions, {erased.Inherited:N0} of them through an earlier model; the last asked {AccessCommand.Time(erased.NewestAt)}"));
            Row("decision", model.Decision);
            Row("lineage", string.Join(" ← ", report.Lineage.Select(one => one.Version)));
        }
        console.Write(table);
        if (report.Model is not null) GateTable.Print(console, report.Model.Metrics);
    }
}
