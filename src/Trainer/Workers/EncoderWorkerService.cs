using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What a worker does for a Trainer; see <c>workers.proto</c>.</summary>
internal class EncoderWorkerService(WorkerSeat seat) : EncoderWorker.EncoderWorkerBase
{
    public override async Task<Joined> Join(IAsyncStreamReader<ModelPart> requestStream, ServerCallContext context)
    {
        Guid id = SessionOf(context);
        using IDisposable call = seat.Claim(id);
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Opening is not { } opening) throw new InvalidDataException("what is no opening; expected one at first.");
        WorkerSession session = await seat.SeatAsync(id, opening, folder => ModelFolder.ReceiveAsync(requestStream, folder, seat.MaxModelBytes, context.CancellationToken));
        return new Joined { WeightBytes = session.WeightBytes };
    }

    public override async Task<Taken> TakeWeights(IAsyncStreamReader<Part> requestStream, ServerCallContext context)
    {
        using IDisposable call = seat.Claim(SessionOf(context));
        WorkerSession session = seat.Of(SessionOf(context));
        long version = VersionOf(context);
        byte[][] weights = await TensorStream.ReceiveAsync(requestStream, session.WeightBytes, context.CancellationToken);
        await session.Gate.WaitAsync(context.CancellationToken);
        try
        {
            await seat.Thread.RunAsync(() =>
            {
                if (version < session.Version || session.Ended) throw Stale(session, version);
                session.TakeWeights(version, weights);
            });
        }
        finally
        {
            session.Gate.Release();
        }
        return new Taken();
    }

    public override async Task Embed(IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Part> responseStream, ServerCallContext context)
    {
        using IDisposable call = seat.Claim(SessionOf(context));
        WorkerSession session = seat.Of(SessionOf(context));
        await session.Gate.WaitAsync(context.CancellationToken);
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                Chunk chunk = requestStream.Current;
                byte[] rows = await OnThread(session, VersionOf(context), () => session.Embed(chunk));
                await responseStream.WriteAsync(new Part { Content = UnsafeByteOperations.UnsafeWrap(rows) }, context.CancellationToken);
            }
        }
        finally
        {
            session.Gate.Release();
        }
    }

    public override async Task BackPropagate(IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Part> responseStream, ServerCallContext context)
    {
        using IDisposable call = seat.Claim(SessionOf(context));
        WorkerSession session = seat.Of(SessionOf(context));
        byte[][] sum;
        await session.Gate.WaitAsync(context.CancellationToken);
        try
        {
            // Of a call that broke.
            await OnThread(session, VersionOf(context), () =>
            {
                session.ClearGradients();
                return true;
            });
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                Chunk chunk = requestStream.Current;
                await OnThread(session, VersionOf(context), () =>
                {
                    session.BackPropagate(chunk);
                    return true;
                });
            }
            sum = await OnThread(session, VersionOf(context), session.TakeGradients);
        }
        finally
        {
            // The next call computes while this one sends.
            session.Gate.Release();
        }
        await TensorStream.SendAsync(sum, part => responseStream.WriteAsync(part, context.CancellationToken));
    }

    public override async Task<Left> Leave(Left request, ServerCallContext context)
    {
        await seat.LeaveAsync(SessionOf(context));
        return new Left();
    }

    private Task<T> OnThread<T>(WorkerSession session, long version, Func<T> work) => seat.Thread.RunAsync(() => session.Version == version && !session.Ended ? work() : throw Stale(session, version));

    private static RpcException Stale(WorkerSession session, long version) =>
        new(new Status(StatusCode.FailedPrecondition, $"version is {version}; this worker has the weights of {session.Version}."));

    private static Guid SessionOf(ServerCallContext context) =>
        Guid.TryParse(context.RequestHeaders.GetValue("session"), out Guid id) && id != Guid.Empty ? id : throw new InvalidDataException("session is missing or no UUID.");

    private static long VersionOf(ServerCallContext context) =>
        long.TryParse(context.RequestHeaders.GetValue("version"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long version) ? version : throw new InvalidDataException("version is missing or no number.");
}
