using System.CommandLine;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Access;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>users erase|verify-erased</c>: a user who wants to be forgotten, and the proof.</summary>
internal static class UsersCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Look = TimeSpan.FromSeconds(1);

    public static Command Create(IAnsiConsole console)
    {
        Argument<string> erased = User(), verified = User();
        return new Command("users", "Users who want to be forgotten.")
        {
            AccessCommand.Create("erase", "Erase a user everywhere, wait for it and show what is left.", console, [erased], UserAccess.Open,
                (parsed, access, people, token) => Progress.WithBarsAsync(people, bars => EraseAsync(access, parsed.GetRequiredValue(erased), bars, TimeProvider.System, token)), Print, ExitCode),
            AccessCommand.Create("verify-erased", "Look through every store for a user; the exit code is 0 only when nothing is found.", console, [verified], UserAccess.Open,
                (parsed, access, _, token) => access.VerifyAsync(parsed.GetRequiredValue(verified), token), Print, ExitCode),
        };
    }

    private static Argument<string> User() => new("ID") { Description = "The user's id, as events name it." };

    private static int ExitCode(ErasureReport report) => report.Erased ? ExitCodes.Done : ExitCodes.AnswerIsNo;

    private static async Task<ErasureReport> EraseAsync(IUserAccess access, string id, Bars bars, TimeProvider time, CancellationToken cancellationToken)
    {
        await access.EraseAsync(id, cancellationToken);
        long asked = time.GetTimestamp();
        Bar? stores = null;
        while (true)
        {
            ErasureReport report = await access.VerifyAsync(id, cancellationToken);
            stores ??= bars.Start("Erasing, store by store", report.Stores.Count);
            stores.Set(report.Stores.Count(store => store.Found.Count == 0));
            if (report.Erased || report.Until is not null || time.GetElapsedTime(asked) > Patience) return report;
            await Task.Delay(Look, time, cancellationToken);
        }
    }

    private static void Print(IAnsiConsole console, ErasureReport report)
    {
        var table = new Table().AddColumns("store", "searched", "found");
        foreach (SearchedStore store in report.Stores)
            table.AddRow(new Text(store.Store), new Text(MessageBytes.Printable(store.Searched)), new Text(store.Found.Count == 0 ? "nothing" : MessageBytes.Printable(string.Join("; ", store.Found))));
        console.Write(table);
        foreach (string note in report.Stores.SelectMany(store => store.Notes)) console.WriteLine($"Note: {MessageBytes.Printable(note)}.");
        console.WriteLine($"User {MessageBytes.Printable(report.UserId)}: {report.Verdict}.");
    }
}
