using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Freshness;

/// <summary>Publishes one model after the other, each with another text template: so the whole catalogue is encoded anew each time, without a training.</summary>
internal sealed class Rebuilds : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task<int> _running;

    public Rebuilds(StandaloneHost host) => _running = Task.Run(() => RunAsync(host, _end.Token));

    /// <returns>How many collections went into service.</returns>
    public async Task<int> EndAsync()
    {
        await _end.CancelAsync();
        return await _running;
    }

    private static async Task<int> RunAsync(StandaloneHost host, CancellationToken cancellationToken)
    {
        var models = host.Pipeline.Models;
        ModelVersion first = models.Live!.Value;
        using var shared = host.Models.Rent(models.EncoderFolder(first), cache: null);
        for (int switches = 0; ; switches++)
        {
            using var model = new EmbeddingModel(shared.Encoder, head: null, new ItemText($"{switches}: {ItemText.DefaultTemplate}"), cache: null);
            var draft = new ModelDraft(model.Fingerprint, model.Dimension, models.Live, null, new Dictionary<int, long>(), [], [], "benchmark");
            models.PublishLive(draft, models.Live!.Value, model.Save);
            try
            {
                await host.Pipeline.WaitUntilServedAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return switches;
            }
        }
    }

    public void Dispose() => _end.Dispose();
}
