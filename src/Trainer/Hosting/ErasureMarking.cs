using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Marks models that could see erased users, at the start and as users are erased and models published.</summary>
internal sealed class ErasureMarking(IWindowStore windows, IModelStore models, IOptions<TrainerOptions> options, TimeProvider clock, ILogger<ErasureMarking> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CheckInterval, clock);
        try
        {
            do await Task.Run(Look, stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void Look()
    {
        try
        {
            if (windows.Erasures().Count > 0 && ErasureMarks.Apply(windows, models) is { Count: > 0 } marked)
                logger.LogInformation("Models that could see users erased since were marked: {Versions}", string.Join(", ", marked));
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            logger.LogError(failure, "Models could not be marked for erased users; the next attempt follows");
        }
    }
}
