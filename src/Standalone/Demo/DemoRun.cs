using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Standalone.SimulatedShop;

namespace BeeFormer.Streaming.Standalone.Demo;

/// <summary>The whole loop on a simulated shop. Run again on the same folder it adds nothing and measures again.</summary>
internal sealed class DemoRun(
    LivePipeline pipeline, ShopOptions options, Func<IReadOnlyList<ItemEvent>, CancellationToken, Task<ItemVectors>> frozenVectors, TrainingBoard board,
    UserVectorOptions userVector, TimeSpan popularityHalfLife, TimeProvider time)
{
    /// <summary>Short titles are learned in half the steps, and somebody is watching.</summary>
    private const string Policy = "head_steps: 400";

    public async Task<DemoReport> RunAsync(Bars bars, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        Shop shop = Shop.Open(options);
        Bar opening = bars.Start("Opening the shop: catalogue into the index", shop.KnownProducts.Count());
        await pipeline.AppendAsync(Catalogues.Missing(pipeline.Windows, [.. shop.KnownProducts.Select(product => product.Item)]), cancellationToken);
        await pipeline.WaitUntilLandedAsync(Topics.Items, null, cancellationToken);
        await pipeline.WaitUntilServedAsync(opening, cancellationToken);
        opening.Finish();

        await TradeAsync(shop, bars, cancellationToken);
        string decision = await TrainAsync(shop, bars, cancellationToken);

        Bar arriving = bars.Start("New products arrive", shop.Products.Count);
        await pipeline.AppendAsync(Catalogues.Missing(pipeline.Windows, [.. shop.NewProducts.Select(product => product.Item)]), cancellationToken);
        await pipeline.WaitUntilLandedAsync(Topics.Items, null, cancellationToken);
        await pipeline.WaitUntilServedAsync(arriving, cancellationToken);
        arriving.Finish();

        return await JudgeAsync(shop, decision, bars, began, cancellationToken);
    }

    private async Task TradeAsync(Shop shop, Bars bars, CancellationToken cancellationToken)
    {
        InteractionEvent[] past = [.. shop.Past];
        Bar trading = bars.Start($"{options.PastWeeks} weeks of trade: {past.Length} interactions", 1);
        await pipeline.WaitUntilLandedAsync(Topics.Interactions, null, cancellationToken);
        IReadOnlySet<string> known = pipeline.Windows.EventIds(Shop.EventPrefix(options.Seed));
        await pipeline.AppendAsync([.. past.Where(interaction => !known.Contains(interaction.EventId!))], cancellationToken);
        await pipeline.WaitUntilLandedAsync(Topics.Interactions, new SharesOf(trading), cancellationToken);
        trading.Finish();
    }

    private async Task<string> TrainAsync(Shop shop, Bars bars, CancellationToken cancellationToken)
    {
        var phases = new PhaseBars(bars);
        board.Progressed += phases.Report;
        string decision;
        try
        {
            decision = (await pipeline.TrainAsync(TrainingTempo.Head, "demo", cancellationToken, Policy)).Decision;
        }
        finally
        {
            board.Progressed -= phases.Report;
            phases.Finish();
        }
        Bar switching = bars.Start("The catalogue as the live model sees it", shop.KnownProducts.Count());
        await pipeline.WaitUntilServedAsync(switching, cancellationToken);
        switching.Finish();
        return decision;
    }

    private async Task<DemoReport> JudgeAsync(Shop shop, string decision, Bars bars, long began, CancellationToken cancellationToken)
    {
        Bar judging = bars.Start($"Judging by the next {options.FutureWeeks} weeks", 4);
        IReadOnlyList<ItemEvent> catalogue = [.. shop.Products.Select(product => product.Item)];
        Dictionary<ItemId, int> places = catalogue.Select((item, place) => (item.ItemId, place)).ToDictionary(pair => pair.ItemId, pair => pair.place);
        var shoppers = new FutureShoppers(shop, places, userVector, popularityHalfLife);
        using ItemVectors frozen = await frozenVectors(catalogue, cancellationToken);
        judging.Set(1);
        using ItemVectors served = await pipeline.FetchAsync(await pipeline.WaitUntilServedAsync(cancellationToken), places, cancellationToken);
        judging.Set(2);
        DemoRow[] rows = [shoppers.Judge("frozen", frozen), shoppers.Judge("trained", served), shoppers.JudgePopularity()];
        judging.Finish();
        return new DemoReport(rows, pipeline.Models.Live?.Value, decision, shoppers.Count, shoppers.CountOfNew, Math.Round(time.GetElapsedTime(began).TotalSeconds, 1));
    }

    private sealed class SharesOf(Bar bar) : IProgress<double>
    {
        public void Report(double value) => bar.Set(value);
    }
}
