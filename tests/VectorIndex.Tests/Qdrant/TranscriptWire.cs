using BeeFormer.Streaming.FakeQdrant;
using Grpc.Core;
using Grpc.Net.Client;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Sends bytes as they are.</summary>
internal sealed class TranscriptWire(FakeQdrantServer server, int? maxReceive = null) : IDisposable
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);
    private readonly GrpcChannel channel = GrpcChannel.ForAddress(server.Endpoint, new GrpcChannelOptions { MaxReceiveMessageSize = maxReceive, MaxSendMessageSize = null });

    /// <param name="path">As in <c>/qdrant.Points/Upsert</c>.</param>
    /// <returns>No answer unless OK.</returns>
    public async Task<(Status Status, Metadata Trailers, byte[]? Answer)> CallAsync(string path, byte[] request, Metadata headers, CancellationToken cancellationToken)
    {
        var parts = path.Split('/');
        var call = channel.CreateCallInvoker().AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, parts[1], parts[2], Bytes, Bytes), null, new CallOptions(headers, cancellationToken: cancellationToken), request);
        try
        {
            var answer = await call.ResponseAsync;
            return (call.GetStatus(), call.GetTrailers(), answer);
        }
        catch (RpcException e) { return (e.Status, e.Trailers, null); }
    }

    public void Dispose() => channel.Dispose();
}
