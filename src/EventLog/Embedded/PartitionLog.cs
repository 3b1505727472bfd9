using System.Buffers;
using System.Threading.Channels;
using FASTER.core;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>One partition: appends that arrive together share one commit; readers learn of it by a signal.</summary>
internal sealed class PartitionLog : IAsyncDisposable
{
    private const int MaxRecordsPerCommit = 65_536;

    private sealed record Append(IReadOnlyList<LogRecord> Records, TaskCompletionSource<long> FirstOffset);

    private readonly Channel<Append> _appends = Channel.CreateUnbounded<Append>(new UnboundedChannelOptions { SingleReader = true });
    private readonly string _folder;
    private readonly LogGeometry _geometry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action _committed;
    private readonly Lock _reading = new();
    private readonly SemaphoreSlim _changing = new(1); // held while records are added, or the file is exchanged
    private readonly Task _writer;
    private LogFile _file;
    private bool _broken;
    private bool _disposed;
    private long _endOffset;

    public PartitionLog(string folder, LogGeometry geometry, TimeProvider time, ILogger logger, Action committed)
    {
        (_folder, _geometry, _time, _logger, _committed) = (folder, geometry, time, logger, committed);
        _file = LogFile.Open(folder, geometry, logger);
        _endOffset = _file.NextOffset;
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>The oldest offset still held.</summary>
    public long BeginOffset { get; private set; }

    public long EndOffset => Volatile.Read(ref _endOffset);

    /// <summary>Durable when the task ends; its result is the first record's offset, the others follow without gap.</summary>
    public Task<long> AppendAsync(IReadOnlyList<LogRecord> records)
    {
        var append = new Append(records, new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
        return _appends.Writer.TryWrite(append) ? append.FirstOffset.Task : throw new ObjectDisposedException(nameof(EmbeddedEventLog));
    }

    /// <summary>Messages from the offset on. The scan is opened anew when the file behind it was.</summary>
    public void Read(ref (LogFile File, LogScan Scan)? position, long offset, int partition, int max, MessageMemory messages)
    {
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(EmbeddedEventLog));
            if (position is null || position.Value.File != _file)
            {
                position?.Scan.Dispose();
                position = (_file, _file.ScanFrom(offset, partition));
            }
            position.Value.Scan.Read(max, messages);
        }
    }

    /// <summary>Overwrites the messages that are wanted out of what is held now; searched beside appends and readers, which only wait for the overwriting.</summary>
    /// <returns>How many.</returns>
    public async Task<long> EraseAsync(int partition, Func<LogMessage, bool> which, CancellationToken cancellationToken)
    {
        long until = await ChangeAsync(() => { }, cancellationToken).ConfigureAwait(false);
        var places = await Task.Run(() => RecordPlace.Find(_folder, _geometry, until, partition, which, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (places.Count == 0) return 0;
        await ChangeAsync(() => Reopen(() => RecordErasure.Note(_folder, _geometry, places)), cancellationToken).ConfigureAwait(false); // opening does what is noted
        return places.Count;
    }

    // Between two commits, on a file that is whole. Returns the address below which all is on disk.
    private async Task<long> ChangeAsync(Action change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(EmbeddedEventLog));
            if (_broken) Reopen();
            change();
            return _file.DurableUntil;
        }
        catch (Exception failure) when (failure is not ObjectDisposedException)
        {
            _broken = true; // the next who appends or erases opens the file again
            throw failure as IOException ?? new IOException($"{_folder}: records could not be erased: {failure.Message}", failure);
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Release((LogFile File, LogScan Scan)? position)
    {
        lock (_reading) position?.Scan.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        _appends.Writer.TryComplete();
        await _writer.ConfigureAwait(false);
        lock (_reading)
        {
            if (_disposed) return;
            _disposed = true;
            _file.Dispose();
        }
    }

    private async Task WriteAsync()
    {
        var together = new List<Append>();
        while (await _appends.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            together.Clear();
            int records = 0;
            while (records < MaxRecordsPerCommit && _appends.Reader.TryRead(out var append))
            {
                together.Add(append);
                records += append.Records.Count;
            }
            await _changing.WaitAsync().ConfigureAwait(false);
            try
            {
                if (_broken) Reopen();
                long next = _file.NextOffset;
                var firsts = together.ConvertAll(append => Enqueue(append.Records));
                await _file.CommitAsync().ConfigureAwait(false);
                Volatile.Write(ref _endOffset, next + records);
                _committed();
                for (int n = 0; n < together.Count; n++) together[n].FirstOffset.SetResult(firsts[n]);
            }
            catch (Exception failure)
            {
                // The appends fail, not the log: the next one opens the file again at its last commit.
                _broken = true;
                _logger.LogError(failure, "{Folder}: {Records} records could not be appended", _folder, records);
                var reported = failure is IOException ? failure : new IOException($"{_folder}: the records could not be appended: {failure.Message}", failure);
                foreach (var append in together) append.FirstOffset.TrySetException(reported);
            }
            finally
            {
                _changing.Release();
            }
        }
    }

    private long Enqueue(IReadOnlyList<LogRecord> records)
    {
        long first = _file.NextOffset, now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
        foreach (var record in records)
        {
            int size = RecordFormat.Size(record);
            if (buffer.Length < size)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = ArrayPool<byte>.Shared.Rent(size);
            }
            RecordFormat.Write(buffer.AsSpan(0, size), record, _file.NextOffset, now);
            _file.Enqueue(buffer.AsSpan(0, size));
        }
        ArrayPool<byte>.Shared.Return(buffer);
        return first;
    }

    private void Reopen(Action? closed = null)
    {
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(EmbeddedEventLog));
            _file.Dispose();
            closed?.Invoke();
            _file = LogFile.Open(_folder, _geometry, _logger);
            _endOffset = Math.Max(_endOffset, _file.NextOffset);
            _broken = false;
        }
    }
}
