using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Before each call of a worker: the token, and a deadline. What is wrong with a request becomes INVALID_ARGUMENT.</summary>
internal sealed class WorkerCallChecks(WorkersOptions options) : Interceptor
{
    private readonly byte[]? _expected = string.IsNullOrEmpty(options.Token) ? null : Digest($"Bearer {options.Token}");

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        CheckedAsync(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        CheckedAsync(context, () => continuation(requestStream, context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        CheckedAsync(context, async () =>
        {
            await continuation(requestStream, responseStream, context);
            return true;
        });

    private async Task<T> CheckedAsync<T>(ServerCallContext context, Func<Task<T>> call)
    {
        // Digests are of one length: comparing them tells nothing of the token's.
        if (_expected is not null && !CryptographicOperations.FixedTimeEquals(_expected, Digest(context.RequestHeaders.GetValue("authorization") ?? "")))
            throw new RpcException(new Status(StatusCode.Unauthenticated, "The token is missing or wrong; see Workers:Token."));
        if (context.Deadline == DateTime.MaxValue) throw new RpcException(new Status(StatusCode.InvalidArgument, "The call has no deadline."));
        try
        {
            return await call();
        }
        catch (InvalidDataException wrong)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, wrong.Message));
        }
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
