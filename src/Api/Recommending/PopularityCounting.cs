using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Feeds the popularity from the log, from its beginning at every start: counts live in memory and need no store of their own. Answers do not wait for it;
/// shortly after a start the ranking rests on what was read so far. Repeated event ids are not looked for: a doubled delivery weighs a little more.
/// </summary>
internal sealed class PopularityCounting(
    IEventLog log, PopularityCounter popularity, ReadInteraction read, IOptions<UserVectorOptions> weights, TimeProvider time, ILogger<PopularityCounting> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var persistent = Persistent.Pipeline("reading interactions for the popularity", time, logger);
        await using var subscription = log.Subscribe(Topics.Interactions, ReaderGroups.ApiPopularity, _ => 0);
        while (!stoppingToken.IsCancellationRequested)
        {
            var batch = await persistent.ExecuteAsync(async token => await subscription.ReadAsync(1000, token), stoppingToken);
            foreach (var message in batch)
                if (message.Value is not null && read(message) is { } interaction)
                    popularity.Add(interaction.ItemId, weights.Value.WeightOf(interaction.Type, interaction.Value), interaction.TimestampMs);
        }
    }
}

/// <returns>Null when the message cannot be read.</returns>
internal delegate InteractionEvent? ReadInteraction(LogMessage message);
