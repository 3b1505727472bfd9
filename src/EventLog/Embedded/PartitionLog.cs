using System.Buffers;
using System.Threading.Channels;
using FASTER.core;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>One partition: appends that arrive together share one commit; readers learn of it by a signal.</summary>
internal sealed class PartitionLog : IAsyncDisposable
{
    private const int MaxRecordsPerCommit = 65_536;

    /// <param name="Records">None: what is asked for is to drop what is old.</param>
    private sealed record Append(IReadOnlyList<LogRecord> Records, TaskCompletionSource<long> FirstOffset)
    {
        public static Append Of(IReadOnlyList<LogRecord> records) => new(records, new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private readonly Channel<Append> _appends = Channel.CreateUnbounded<Append>(new UnboundedChannelOptions { SingleReader = true });
    private readonly string _folder;
    private readonly LogGeometry _geometry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action _committed;
    private readonly LogRetention? _retention;
    private readonly Lock _reading = new();
    private readonly SemaphoreSlim _changing = new(1); // held while records are added, or the file is exchanged
    private readonly SemaphoreSlim _erasing = new(1); // one search at a time
    private readonly Task _writer;
    private LogFile _file;
    private bool _broken;
    private bool _disposed;
    private long _beginOffset;
    private long _endOffset;

    /// <param name="retention">Null: nothing is ever dropped.</param>
    public PartitionLog(string folder, LogGeometry geometry, LogRetention? retention, TimeProvider time, ILogger logger, Action committed)
    {
        (_folder, _geometry, _retention, _time, _logger, _committed) = (folder, geometry, retention, time, logger, committed);
        _file = LogFile.Open(folder, geometry, logger);
        (_beginOffset, _endOffset) = (_file.Begin.Offset, _file.NextOffset);
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>The oldest offset still held.</summary>
    public long BeginOffset => Volatile.Read(ref _beginOffset);

    public long EndOffset => Volatile.Read(ref _endOffset);

    /// <summary>Durable when the task ends; its result is the first record's offset, the others follow without gap.</summary>
    public Task<long> AppendAsync(IReadOnlyList<LogRecord> records)
    {
        var append = Append.Of(records);
        return _appends.Writer.TryWrite(append) ? append.FirstOffset.Task : throw new ObjectDisposedException(nameof(EmbeddedEventLog));
    }

    /// <summary>Drops what the retention lets go, in turn with the appends.</summary>
    public Task DropOldAsync()
    {
        var drop = Append.Of([]);
        return _retention is not null && _appends.Writer.TryWrite(drop) ? drop.FirstOffset.Task : Task.CompletedTask;
    }

    /// <summary>Messages from the offset on, which moves over what retention removed. The scan is opened anew when the file behind it was.</summary>
    public void Read(ref (LogFile File, LogScan Scan)? position, ref long offset, int partition, int max, MessageMemory messages)
    {
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(EmbeddedEventLog));
            if (offset < _beginOffset || position is null || position.Value.File != _file)
            {
                position?.Scan.Dispose();
                offset = Math.Max(offset, _beginOffset);
                position = (_file, _file.ScanFrom(offset, partition));
            }
            position.Value.Scan.Read(max, messages);
        }
    }

    /// <summary>Overwrites the messages that are wanted out of what is held now; searched beside appends and readers, which only wait for the overwriting.</summary>
    /// <returns>How many.</returns>
    public async Task<long> EraseAsync(int partition, Func<LogMessage, bool> which, CancellationToken cancellationToken)
    {
        await _erasing.WaitAsync(cancellationToken).ConfigureAwait(false); // or a search could meet a record that is half overwritten
        try
        {
            long until = await ChangeAsync(() => { }, cancellationToken).ConfigureAwait(false);
            var places = await Task.Run(() => RecordPlace.Find(_folder, _geometry, until, partition, which, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (places.Count == 0) return 0;
            await ChangeAsync(() => Reopen(() => RecordErasure.Note(_folder, _geometry, places)), cancellationToken).ConfigureAwait(false); // opening does what is noted
            return places.Count;
        }
        finally
        {
            _erasing.Release();
        }
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
            bool dropOld = false;
            while (records < MaxRecordsPerCommit && _appends.Reader.TryRead(out var append))
            {
                together.Add(append);
                records += append.Records.Count;
                dropOld |= append.Records.Count == 0;
            }
            await _changing.WaitAsync().ConfigureAwait(false);
            try
            {
                if (_broken) Reopen();
                if (dropOld) Drop();
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

    // The commit that follows removes the files.
    private void Drop()
    {
        lock (_reading)
        {
            if (_retention is null || !_file.TryDrop(_retention, _time.GetUtcNow())) return;
            _logger.LogInformation("{Folder}: dropped the {Records} records before offset {Begin}", _folder, _file.Begin.Offset - _beginOffset, _file.Begin.Offset);
            Volatile.Write(ref _beginOffset, _file.Begin.Offset);
        }
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
            _beginOffset = _file.Begin.Offset;
            _broken = false;
        }
    }
}
