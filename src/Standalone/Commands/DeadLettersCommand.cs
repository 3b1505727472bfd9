using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Standalone.Access;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>dead-letters list|show|replay</c>: what could not be read, and the way back once it can be.</summary>
internal static class DeadLettersCommand
{
    private const int MostListed = 1000;

    public static Command Create(IAnsiConsole console)
    {
        Option<string[]> listed = Where(), replayed = Where();
        Option<int> limit = CommonOptions.PositiveNumber("--limit", $"Letters to list, at most {MostListed}.", 100);
        var after = new Option<string?>("--after") { Description = "List the letters behind this one.", HelpName = "ID" };
        var shown = new Argument<string>("ID") { Description = "As dead-letters list names it: topic/partition/offset." };
        var ids = new Argument<string[]>("ID") { Description = "Letters to replay.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Replay every letter." };
        var force = new Option<bool>("--force") { Description = "Replay also what is still unreadable, and what something newer has taken the place of." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done." };
        return new Command("dead-letters", "Messages that could not be read.")
        {
            AccessCommand.Create("list", "List them, with the reason.", console, [listed, limit, after], DeadLetterAccess.Open,
                (parsed, access, token) => access.ListAsync(Choice(parsed.GetValue(listed), []), Limited(parsed.GetValue(limit)), parsed.GetValue(after), token), Print),
            AccessCommand.Create("show", "Show one with its key, bytes and headers as they came.", console, [shown], DeadLetterAccess.Open,
                (parsed, access, token) => access.ShowAsync(parsed.GetRequiredValue(shown), token), Print),
            AccessCommand.Create("replay", "Bring messages back to their topics as they were; what would be refused again, or was superseded, stays.", console, [ids, replayed, all, force, dryRun], DeadLetterAccess.Open,
                (parsed, access, token) => access.ReplayAsync(
                    Choice(parsed.GetValue(replayed), parsed.GetValue(ids) ?? [], parsed.GetValue(all)), parsed.GetValue(force), parsed.GetValue(dryRun), token), Print),
        };
    }

    private static Option<string[]> Where() => new("--where") { Description = "Only letters with this reason (reason=missing_field) or of this topic (topic=items); may be given for both.", HelpName = "NAME=VALUE" };

    private static int Limited(int limit) => limit <= MostListed ? limit : throw new InvalidDataException($"--limit is {limit}; expected at most {MostListed}.");

    /// <param name="all">Null: nothing given means all.</param>
    /// <exception cref="InvalidDataException">It cannot be told which letters are meant.</exception>
    private static DeadLetterChoice Choice(string[]? where, string[] ids, bool? all = null)
    {
        string? reason = null, topic = null;
        foreach (string condition in where ?? [])
        {
            string[] parts = condition.Split('=', 2);
            if (parts is ["reason", { Length: > 0 }] && reason is null) reason = parts[1];
            else if (parts is ["topic", { Length: > 0 }] && topic is null) topic = parts[1];
            else throw new InvalidDataException($"--where is {condition}; expected reason=CODE or topic=NAME, each at most once.");
        }
        int ways = (ids.Length > 0 ? 1 : 0) + (reason is not null || topic is not null ? 1 : 0) + (all == true ? 1 : 0);
        if (all is not null && ways == 0) throw new InvalidDataException("Nothing says which letters to replay; expected ids, --where, or --all.");
        if (all is not null && ways > 1) throw new InvalidDataException("Ids, --where and --all exclude one another; expected one of them.");
        return new DeadLetterChoice(ids, reason, topic);
    }

    private static void Print(IAnsiConsole console, DeadLettersReport report)
    {
        var table = new Table().AddColumns("letter", "reason", "message", "arrived", "bytes");
        foreach (DeadLetterRow one in report.Letters)
            table.AddRow(new Text(one.Id), new Text(MessageBytes.Printable(one.Reason)), new Text(MessageBytes.Printable(one.Message)), new Text(AccessCommand.Time(one.Timestamp)),
                new Text(one.Bytes?.ToString("N0", CultureInfo.InvariantCulture) ?? "—"));
        console.Write(table);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Letters.Count:N0} of {report.Matching:N0} letters that match; there are {report.Total:N0} in all.")
            + (report.Next is { } next ? $" The ones that follow: --after {next}" : ""));
    }

    private static void Print(IAnsiConsole console, DeadLetterReport letter)
    {
        var table = new Table().AddColumns("what", "").HideHeaders();
        void Row(string what, string value) => table.AddRow(new Text(what), new Text(value));
        Row("letter", letter.Id);
        Row("reason", MessageBytes.Printable(letter.Reason));
        Row("message", MessageBytes.Printable(letter.Message));
        Row("arrived", AccessCommand.Time(letter.Timestamp));
        Row("key", MessageBytes.Show(letter.Key));
        foreach (var header in letter.Headers) Row($"header {MessageBytes.Printable(header.Name)}", MessageBytes.Show(header.Value));
        Row("bytes", letter.Value?.Length.ToString("N0", CultureInfo.InvariantCulture) ?? "none: a tombstone");
        console.Write(table);
        if (letter.Value is { } value) console.Profile.Out.Writer.WriteLine(MessageBytes.Show(value)); // as they are, not wrapped
    }

    private static void Print(IAnsiConsole console, ReplayedReport report)
    {
        if (report.Staying.Count > 0)
        {
            var table = new Table().AddColumns("letter", "stays", "why");
            foreach (StayingRow one in report.Staying) table.AddRow(new Text(one.Id), new Text(one.Outcome), new Text(MessageBytes.Printable(one.Why)));
            console.Write(table);
        }
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Replayed:N0} {(report.DryRun ? "would be replayed" : "replayed")}, {report.Superseded:N0} superseded, {report.Unreadable:N0} still unreadable, {report.Unknown:N0} unknown."));
    }
}
