using System.Globalization;
using Grpc.Core;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Something that goes wrong with calls. What is not set does not happen.</summary>
public sealed class Fault
{
    /// <summary>As in <c>Points/Upsert</c>; null: every method.</summary>
    public string? Method { get; init; }

    /// <summary>Which of the method's calls; null: all.</summary>
    public Func<RecordedCall, bool>? When { get; init; }

    /// <summary>After so many calls it is over.</summary>
    public int Times { get; init; } = int.MaxValue;

    /// <summary>How long the call waits first; it ends earlier when the client gives up.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>The answer, unless OK.</summary>
    public StatusCode Status { get; init; }

    /// <summary>The answer's trailer <c>retry-after</c>.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>The call takes effect, only its answer is replaced.</summary>
    public bool AfterApplying { get; init; }

    /// <summary>A write to points is acknowledged and has no effect.</summary>
    public bool LoseWrites { get; init; }

    /// <summary>A write to points that waits is answered <c>WaitTimeout</c>; it is applied as one that does not wait.</summary>
    public bool WaitTimesOut { get; init; }

    /// <summary>Calls that it has met.</summary>
    public int Met { get; internal set; }

    internal RpcException ToException()
    {
        var trailers = new Metadata();
        if (RetryAfterSeconds is { } seconds) trailers.Add("retry-after", seconds.ToString(CultureInfo.InvariantCulture));
        return new RpcException(new Status(Status, "Injected fault"), trailers);
    }
}
