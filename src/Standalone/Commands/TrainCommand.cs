using System.CommandLine;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Access;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Trainer;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>train</c>: one training on what has landed, gated and published as always, its decision and its numbers.</summary>
internal static class TrainCommand
{
    /// <summary>The gate kept what is live, or there was nothing to train.</summary>
    public const int NotPublished = ExitCodes.AnswerIsNo;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200), CancelPatience = TimeSpan.FromSeconds(20);

    public static Command Create(IAnsiConsole console)
    {
        Option<string?> policy = CommonOptions.OptionalFile("--policy", "Training policy (YAML); default: the server's or the program's own.");
        Option<string?> tempo = new("--tempo") { Description = "head (seconds to minutes) or encoder (fine-tuning); default: head, or encoder where the policy says head: none.", HelpName = "TEMPO" };
        tempo.AcceptOnlyFromAmong("head", "encoder");
        Option<string> data = CommonOptions.Data();
        var json = new JsonOption(console);
        var command = new Command("train", "Train once on what has landed; the gate decides whether the model goes live.") { policy, tempo, data, json.Option };
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            IAnsiConsole people = json.People(parsed);
            string? file = parsed.GetValue(policy), text = null, chosen = parsed.GetValue(tempo);
            if (file is not null)
            {
                TrainingPolicy read = TrainingPolicy.Load(file); // a mistake in it is told with line and column before anything starts
                text = await File.ReadAllTextAsync(file, token);
                chosen ??= read.Head == HeadKind.None ? "encoder" : "head";
            }
            TrainingRow training = await RunAsync(people, parsed.GetRequiredValue(data), file, text, chosen, token);
            TrainingsCommand.Print(people, training);
            people.WriteLine(training.Decision ?? training.State);
            json.Write(parsed, training);
            return training.State switch
            {
                "published" => ExitCodes.Done,
                "refused" or "skipped" => NotPublished,
                _ => throw new IOException(training.Decision ?? $"The training ended as {training.State}."),
            };
        }, cancellationToken));
        return command;
    }

    /// <summary>Waits for the end: a server of our own that stops before it would leave a training that the next start goes on with.</summary>
    private static async Task CancelAsync(ServedModels server, Guid id)
    {
        using var patience = new CancellationTokenSource(CancelPatience, TimeProvider.System);
        using var look = new PeriodicTimer(Look, TimeProvider.System);
        try
        {
            await server.CancelAsync(id, patience.Token);
            while (!(await server.TrainingAsync(id, patience.Token)).Ended) await look.WaitForNextTickAsync(patience.Token);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
            // It ended first, or the server did, or it takes too long.
        }
    }

    /// <summary>The server that works on the folder trains; where there is none, one is started for this training.</summary>
    private static async Task<TrainingRow> RunAsync(IAnsiConsole console, string data, string? policyFile, string? policy, string? tempo, CancellationToken cancellationToken)
    {
        using (IModelAccess access = ModelAccess.Open(data))
        {
            if (access is ServedModels server)
            {
                console.WriteLine($"{server.Name} trains.");
                return await AskAsync(console, server, policy, tempo, cancellationToken);
            }
        }
        console.WriteLine($"Data folder {data} (no server works on it): this process trains.");
        var settings = new Dictionary<string, string?>(ManualTraining.Settings) { ["Policy"] = policyFile };
        await using StandaloneHost host = await StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, settings, cancellationToken);
        return await host.RunAsync(async running =>
        {
            foreach (string topic in (string[])[Topics.Items, Topics.Interactions]) await host.Pipeline.WaitUntilLandedAsync(topic, null, running);
            using var own = new ServedModels(new Uri(host.Urls.First()));
            return await AskAsync(console, own, policy, tempo, running);
        }, cancellationToken);
    }

    private static async Task<TrainingRow> AskAsync(IAnsiConsole console, ServedModels server, string? policy, string? tempo, CancellationToken cancellationToken)
    {
        Guid id = await server.TrainAsync(tempo, policy, cancellationToken);
        try
        {
            return await Progress.WithBarsAsync(console, async bars =>
            {
                var phases = new PhaseBars(bars);
                using var look = new PeriodicTimer(Look, TimeProvider.System);
                while (true)
                {
                    TrainingRow training = await server.TrainingAsync(id, cancellationToken);
                    if (training.Phase is { } phase) phases.Report(new TrainingProgressed(id, phase, training.Fraction ?? 0, training.Loss, training.ItemsPerSecond, training.EtaSeconds));
                    if (training.Ended)
                    {
                        phases.Finish();
                        return training;
                    }
                    await look.WaitForNextTickAsync(cancellationToken);
                }
            });
        }
        catch (OperationCanceledException)
        {
            // Whoever asked for it does not want it any more.
            await CancelAsync(server, id);
            throw;
        }
    }
}
