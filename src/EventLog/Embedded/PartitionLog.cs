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

    private void Reopen()
    {
        lock (_reading)
        {
            _file.Dispose();
            _file = LogFile.Open(_folder, _geometry, _logger);
            _endOffset = Math.Max(_endOffset, _file.NextOffset);
            _broken = false;
        }
    }
}
