using System.Threading.Channels;
using Polly;
using Polly.Retry;

namespace BeeFormer.Streaming.Client;

/// <summary>
/// Sends events in batches, in the background, in the order in which they were added. Nothing is dropped: while the server is away batches are sent again until it accepts them, and who adds an event to
/// a full batcher waits. Each event has an id before it is sent, so that one that is sent again counts once. Only what the server refuses for good is given up, and
/// <see cref="EventBatcherOptions.Refused"/> is told. Safe for several threads.
/// </summary>
public sealed class EventBatcher : IAsyncDisposable
{
    private readonly BeeFormerClient _client;
    private readonly EventBatcherOptions _options;
    private readonly ResiliencePipeline _sending;
    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _room;
    private readonly CancellationTokenSource _closing = new(), _giveUp = new();
    private readonly Lock _lock = new();
    private readonly Task _running;
    private Exception? _lastFailure;
    private volatile EventsNotAcceptedException? _ended;
    private Task? _closed;

    /// <summary>An event, or a wish to know when all before it are done.</summary>
    private readonly record struct Entry(Interaction? Event, TaskCompletionSource? Flushed);

    /// <param name="client">Must live longer than the batcher.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it.</exception>
    public EventBatcher(BeeFormerClient client, EventBatcherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        (_client, _options) = (client, options ?? new EventBatcherOptions());
        _options.Check();
        _room = new SemaphoreSlim(_options.Capacity, _options.Capacity);
        _sending = new ResiliencePipelineBuilder { TimeProvider = client.Time }.AddRetry(new RetryStrategyOptions
        {
            // A wrong key or address may be mended, too; what is wrong with an event stays wrong.
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is BeeFormerException failure && !IsForGood(failure)),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _options.RetryDelay,
            MaxDelay = _options.MaxRetryDelay,
            DelayGenerator = attempt => ValueTask.FromResult(Transport.Wait(attempt.Outcome.Exception, _options.RetryDelay)),
            OnRetry = attempt =>
            {
                _lastFailure = attempt.Outcome.Exception;
                _options.Failing?.Invoke((BeeFormerException)_lastFailure!);
                return ValueTask.CompletedTask;
            },
        }).Build();
        _running = Task.Run(RunAsync);
    }

    /// <summary>Adds an event; waits while the batcher is full. Without an id or a time it gets one now.</summary>
    /// <exception cref="ObjectDisposedException">The batcher is closed, or was while this waited; the event was not added.</exception>
    public async ValueTask AddAsync(Interaction interaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(interaction);
        var identified = interaction.Identified(_client.Time);
        if (!_room.Wait(0, CancellationToken.None))
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            try
            {
                await _room.WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw Closed();
            }
        }
        if (_queue.Writer.TryWrite(new Entry(identified, null))) return;
        _room.Release();
        throw Closed();
    }

    /// <summary>Ends when every event added before is accepted, or refused for good.</summary>
    /// <exception cref="ObjectDisposedException">The batcher is closed.</exception>
    /// <exception cref="EventsNotAcceptedException">The batcher ended before that.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_queue.Writer.TryWrite(new Entry(null, flushed))) throw Closed();
        await flushed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what is left, for as long as <see cref="EventBatcherOptions.DisposeTimeout"/> allows.</summary>
    /// <exception cref="EventsNotAcceptedException">Not everything was accepted; it names what was not.</exception>
    public ValueTask DisposeAsync()
    {
        lock (_lock) return new ValueTask(_closed ??= CloseAsync());
    }

    private async Task CloseAsync()
    {
        _queue.Writer.TryComplete();
        await _closing.CancelAsync().ConfigureAwait(false);
        using var limit = new CancellationTokenSource(_options.DisposeTimeout, _client.Time);
        using (limit.Token.Register(_giveUp.Cancel)) await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var batch = new List<Interaction>(); // what is not accepted yet, oldest first
        var flushes = new List<TaskCompletionSource>();
        try
        {
            while (await _queue.Reader.WaitToReadAsync(_giveUp.Token).ConfigureAwait(false))
            {
                await GatherAsync(batch, flushes).ConfigureAwait(false);
                await SendAsync(batch).ConfigureAwait(false);
                foreach (var flushed in flushes) flushed.SetResult();
                flushes.Clear();
            }
        }
        catch (Exception end)
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var entry))
                if (entry.Event is { } left) batch.Add(left);
                else flushes.Add(entry.Flushed!);
            if (batch.Count == 0 && end is OperationCanceledException)
            {
                foreach (var flushed in flushes) flushed.SetResult(); // the last ones were accepted just in time
                return;
            }
            _ended = new EventsNotAcceptedException(batch, end is OperationCanceledException ? _lastFailure ?? end : end);
            await _closing.CancelAsync().ConfigureAwait(false);
            foreach (var flushed in flushes) flushed.SetException(_ended);
            throw _ended;
        }
    }

    /// <summary>Until the batch is full or old enough, somebody waits for it, or nothing more will come.</summary>
    private async Task GatherAsync(List<Interaction> batch, List<TaskCompletionSource> flushes)
    {
        using var age = new CancellationTokenSource(_options.MaxAge, _client.Time);
        try
        {
            while (batch.Count < _options.BatchSize && flushes.Count == 0)
                if (!_queue.Reader.TryRead(out var entry))
                {
                    if (!await _queue.Reader.WaitToReadAsync(age.Token).ConfigureAwait(false)) return;
                }
                else if (entry.Event is { } next) batch.Add(next);
                else flushes.Add(entry.Flushed!);
        }
        catch (OperationCanceledException) when (age.IsCancellationRequested)
        {
            // Old enough.
        }
    }

    /// <summary>Empties the batch. A part that is refused as a whole is halved, until what is wrong stands alone.</summary>
    private async Task SendAsync(List<Interaction> batch)
    {
        for (int size = batch.Count; batch.Count > 0;)
        {
            var part = batch.GetRange(0, Math.Min(size, batch.Count));
            IReadOnlyList<Verdict> verdicts;
            try
            {
                verdicts = (await _sending.ExecuteAsync(async token => await _client.SendEventsOnceAsync(part, token).ConfigureAwait(false), _giveUp.Token).ConfigureAwait(false)).Verdicts;
            }
            catch (ProblemException refusal) when (IsForGood(refusal))
            {
                if (refusal.Verdicts.Count == 0 && part.Count > 1)
                {
                    size = part.Count / 2;
                    continue;
                }
                verdicts = refusal.Verdicts.Count > 0 ? refusal.Verdicts : [new Verdict(0, Verdict.Refusal, refusal.Code, refusal.Message)];
            }
            batch.RemoveRange(0, part.Count);
            _room.Release(part.Count);
            foreach (var verdict in verdicts)
                if (verdict.IsRefused && verdict.Index >= 0 && verdict.Index < part.Count) _options.Refused?.Invoke(part[verdict.Index], verdict);
            size = 2 * part.Count;
        }
    }

    /// <summary>The events are at fault: not JSON as expected, too large, none acceptable.</summary>
    private static bool IsForGood(BeeFormerException failure) => failure is ProblemException { Status: 400 or 413 or 422 };

    private ObjectDisposedException Closed() => _ended is { } ended ? new ObjectDisposedException($"The batcher has ended: {ended.Message}", ended) : new ObjectDisposedException(nameof(EventBatcher));
}
