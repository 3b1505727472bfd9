using System.CommandLine;
using BeeFormer.Streaming.Standalone.Access;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>trainings list|show|cancel</c>: what is being trained, what came of it, and how to end it.</summary>
internal static class TrainingsCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Argument<Guid> shown = Id(), cancelled = Id();
        return new Command("trainings", "Trainings that wait, run or have ended.")
        {
            AccessCommand.Create("list", "List trainings, newest first.", console, [], (_, access, token) => access.TrainingsAsync(token), Print),
            AccessCommand.Create("show", "Show one training with its numbers.", console, [shown], (parsed, access, token) => access.TrainingAsync(parsed.GetRequiredValue(shown), token), Print),
            AccessCommand.Create("cancel", "End a training that waits or runs; nothing is changed by it.", console, [cancelled],
                (parsed, access, token) => access.CancelAsync(parsed.GetRequiredValue(cancelled), token), (to, training) => to.WriteLine($"Training {training.TrainingId} was told to end.")),
        };
    }

    private static Argument<Guid> Id() => new("ID") { Description = "As trainings list names it." };

    private static void Print(IAnsiConsole console, TrainingsReport report)
    {
        var table = new Table().AddColumns("training", "state", "tempo", "asked for by", "requested", "ended", "model", "decision");
        foreach (TrainingRow one in report.Trainings)
            table.AddRow(new Text(one.TrainingId.ToString()), new Text(State(one)), new Text(one.Tempo), new Text(one.Reason), new Text(AccessCommand.Time(one.RequestedAt)), new Text(AccessCommand.Time(one.EndedAt)),
                new Text(one.Version ?? "—"), new Text(one.Decision ?? "—"));
        console.Write(table);
    }

    public static void Print(IAnsiConsole console, TrainingRow training)
    {
        var table = new Table().AddColumns("what", "").HideHeaders();
        void Row(string what, string value) => table.AddRow(new Text(what), new Text(value));
        Row("training", training.TrainingId.ToString());
        Row("state", State(training));
        Row("tempo", training.Tempo);
        Row("asked for by", training.Reason);
        Row("requested", AccessCommand.Time(training.RequestedAt));
        Row("started", AccessCommand.Time(training.StartedAt));
        Row("ended", AccessCommand.Time(training.EndedAt));
        Row("model", training.Version ?? "—");
        if (training.Continues is { } continues) Row("continues", continues.ToString());
        Row("decision", training.Decision ?? "—");
        console.Write(table);
        if (training.Metrics is { } metrics) GateTable.Print(console, metrics);
    }

    private static string State(TrainingRow training) => training is { State: "running", Phase: { } phase }
        ? FormattableString.Invariant($"running: {phase} {training.Fraction:P0}") + Pace(training) : training.State;

    private static string Pace(TrainingRow training) =>
        (training.ItemsPerSecond is { } rate ? FormattableString.Invariant($", {rate:F0} items/s") : "") + (training.EtaSeconds is { } left ? $", {Durations.Of(left)} left" : "");
}
