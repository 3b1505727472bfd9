using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Reports;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>
/// Streams a data set through the running pipeline: each interaction is predicted with the models in service, then appended. At barriers everything lands, what was measured is
/// written down, and a training runs, after the last one too: the model in service has then learned the tail. A run that was killed goes on at its last barrier; what had landed after it is measured again and not appended again.
/// </summary>
internal sealed class ReplayRun(
    LivePipeline pipeline, ReplayPlan plan, InteractionTable table, IReadOnlyList<ItemEvent> items, Func<CancellationToken, Task<ItemVectors>> baseVectors,
    string checkpointFolder, UserVectorOptions userVector, RankingOptions ranking, TimeSpan popularityHalfLife, int historyLength, TrainingPolicy policy, TimeProvider time)
{
    public const string Model = "beeformer";
    public const string Base = "base";
    private const int Batch = 512;

    private readonly IReadOnlyList<(string Name, RankingOptions Ranking)> variants = [.. plan.With.Select(with => ($"{Rehearsal.Served}, {with}", RankingVariant.Of(with, ranking)))];
    private readonly Dictionary<ItemId, int> places = items.Select((item, place) => (item.ItemId, place)).ToDictionary(pair => pair.ItemId, pair => pair.place);

    public async Task<ReplayReport> RunAsync(Bars bars, CancellationToken cancellationToken)
    {
        string run = await Task.Run(() => plan.Run(ranking), cancellationToken);
        string file = Path.Combine(checkpointFolder, $"{run}.json");
        ReplayCheckpoint checkpoint = ReplayCheckpoint.Load(file, run);
        double secondsBefore = checkpoint.Seconds;
        long began = time.GetTimestamp();

        bool[] landed = await PrepareAsync(bars, cancellationToken);
        if (checkpoint is { Position: 0, TrainingDue: false }) checkpoint.Note = Foreknowledge(landed);
        using ItemVectors untrained = await baseVectors(cancellationToken);
        var periods = new Periods(table, plan.Period);
        var rehearsal = new Rehearsal(table, plan.Source.Type, places, periods, checkpoint, userVector, ranking, popularityHalfLife, historyLength, variants);
        using PeriodElsa? elsa = policy.ElsaEpochs == 0 ? null : new PeriodElsa(table, plan.Source.Type, places, periods, policy, userVector);
        rehearsal.Recall(0, checkpoint.Position);

        Bar bar = bars.Start("Replaying interactions", table.Count);
        while (true)
        {
            bar.Set(checkpoint.Position);
            if (checkpoint.TrainingDue)
            {
                bar.Say($"Replaying interactions: training after {checkpoint.Position}");
                await TrainAsync(checkpoint, cancellationToken);
                Save(checkpoint, file, secondsBefore, began);
                bar.Say("Replaying interactions");
            }
            if (checkpoint.Position == table.Count) break;

            int barrier = plan.TrainEvery == 0 ? table.Count : Math.Min(table.Count, (checkpoint.Position / plan.TrainEvery + 1) * plan.TrainEvery);
            using (ItemVectors served = await pipeline.FetchAsync(await pipeline.WaitUntilServedAsync(cancellationToken), places, cancellationToken))
            {
                for (int first = checkpoint.Position; first < barrier; first += Batch)
                {
                    int end = Math.Min(first + Batch, barrier);
                    rehearsal.Measure(first, end, [(Model, served), (Base, untrained)], elsa, cancellationToken);
                    await AppendAsync(first, end, landed, cancellationToken);
                    bar.Set(end);
                }
            }
            await pipeline.WaitUntilLandedAsync(Topics.Interactions, null, cancellationToken);
            checkpoint.Position = barrier;
            checkpoint.TrainingDue = plan.TrainEvery > 0;
            Save(checkpoint, file, secondsBefore, began);
        }
        bar.Finish();
        return Report(checkpoint, periods);
    }

    /// <returns>Which interactions, in event-time order, have landed in an earlier run.</returns>
    private async Task<bool[]> PrepareAsync(Bars bars, CancellationToken cancellationToken)
    {
        Bar landing = bars.Start("Landing what the log holds", 2);
        await pipeline.WaitUntilLandedAsync(Topics.Items, null, cancellationToken);
        landing.Set(1);
        await pipeline.WaitUntilLandedAsync(Topics.Interactions, null, cancellationToken);
        landing.Finish();
        IReadOnlySet<string> known = pipeline.Windows.EventIds(plan.EventPrefix);
        bool[] landed = [.. table.Row.Select(row => known.Count > 0 && known.Contains(plan.EventId(row)))];

        Bar indexing = bars.Start("Indexing the catalogue", items.Count);
        await pipeline.AppendAsync(Catalogues.Missing(pipeline.Windows, items), cancellationToken);
        await pipeline.WaitUntilLandedAsync(Topics.Items, null, cancellationToken);
        await pipeline.WaitUntilServedAsync(indexing, cancellationToken);
        indexing.Finish();
        return landed;
    }

    /// <summary>Where a run starts over on a folder that has learned from the same file, its predictions know what comes.</summary>
    private string? Foreknowledge(bool[] landed) =>
        pipeline.Models.Live is { } live && pipeline.Models.Find(live)?.Model.WindowHash is not null && landed.Contains(true)
            ? $"{landed.Count(known => known)} of these interactions had landed before this run began, and model {live} may have learned from them: measure in a new --data folder to compare."
            : null;

    private async Task AppendAsync(int first, int end, bool[] landed, CancellationToken cancellationToken)
    {
        var missing = new List<InteractionEvent>(end - first);
        for (int n = first; n < end; n++)
        {
            if (landed[n]) continue;
            missing.Add(new InteractionEvent(plan.EventId(table.Row[n]), table.Users[table.User[n]], table.Items[table.Item[n]], plan.Source.Type,
                double.IsNaN(table.Value[n]) ? null : table.Value[n], table.TimestampMs[n], null));
        }
        if (missing.Count > 0) await pipeline.AppendAsync(missing, cancellationToken);
    }

    private async Task TrainAsync(ReplayCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        TrainingResult result = await pipeline.TrainAsync(TrainingTempo.Head, "replay", cancellationToken);
        await pipeline.WaitUntilServedAsync(cancellationToken);
        checkpoint.Models.Add(new ReplayedModel((result.Version ?? pipeline.Models.Live)?.Value, result.Decision, checkpoint.Position));
        checkpoint.TrainingDue = false;
    }

    private void Save(ReplayCheckpoint checkpoint, string file, double secondsBefore, long began)
    {
        checkpoint.Seconds = secondsBefore + time.GetElapsedTime(began).TotalSeconds;
        checkpoint.PeakMemoryMb = Math.Max(checkpoint.PeakMemoryMb, PeakMemory.Megabytes());
        checkpoint.Save(file);
    }

    private ReplayReport Report(ReplayCheckpoint checkpoint, Periods periods)
    {
        string[] names = [Model, Base, Rehearsal.Popularity, Rehearsal.History, .. policy.ElsaEpochs == 0 ? [] : new[] { Rehearsal.Elsa }, Rehearsal.Served];
        string[] all = [.. names, .. variants.Select(variant => variant.Name), Rehearsal.Alike, Rehearsal.ByOrder];
        int[] numbers = [.. checkpoint.Measures.Values.SelectMany(byPeriod => byPeriod.Keys).Distinct().Order()];
        IReadOnlyList<PeriodRow> Rows(IReadOnlyList<int> some) => [.. all.Select(name => PeriodMeasures.Sum(some.Select(number => checkpoint.Of(name, number))).Row(name, items.Count))];
        PeriodReport Between(IReadOnlyList<int> some) => new(periods.From(some[0]), periods.To(some[^1]), some.Sum(number => checkpoint.Of(Rehearsal.Popularity, number).Count), Rows(some));

        int[] compared = [.. numbers.Where(number => number >= Comparison.First(table.Timed))];
        IReadOnlyList<PeriodRow>[] rows = [.. compared.Select(number => Rows([number]))];
        IEnumerable<(string Name, string Against)> pairs = names.Except([Model, Rehearsal.Served, Rehearsal.History]).Select(other => (Model, other))
            .Concat(names.Except([Rehearsal.Served]).Select(other => (Rehearsal.Served, other)))
            .Concat(variants.Select(variant => (variant.Name, Rehearsal.Served))).Append((Rehearsal.ByOrder, Rehearsal.Alike));
        int half = compared.Length / 2;
        return new ReplayReport(table.Count, checkpoint.UnknownItems, Rows(numbers), [.. numbers.Select(number => Between([number]))],
            checkpoint.Models, Math.Round(checkpoint.Seconds, 1), checkpoint.PeakMemoryMb, checkpoint.Note,
            [.. pairs.Select(pair => Comparison.Of(pair.Name, pair.Against, rows))], half == 0 ? [] : [Between(compared[..half]), Between(compared[half..])]);
    }
}
