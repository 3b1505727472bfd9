using Google.Protobuf;
using Grpc.Core;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>One method of the interface, over bytes: so that a request which is none gets the server's answer.</summary>
internal sealed record Rpc(string Service, string Name, Func<byte[], Caller, byte[]> Answer)
{
    public static IReadOnlyList<Rpc> All(Store store, Func<bool> holdUnwaited, Action<CollectionInfo> report)
    {
        var collections = new CollectionCalls(store, report);
        var writing = new Writing(store, holdUnwaited);
        var reading = new Reading(store);
        return
        [
            Of<HealthCheckRequest, HealthCheckReply>("Qdrant", "HealthCheck", collections.HealthCheck),
            Of<GetCollectionInfoRequest, GetCollectionInfoResponse>("Collections", "Get", collections.Get),
            Of<ListCollectionsRequest, ListCollectionsResponse>("Collections", "List", collections.List),
            Of<CreateCollection, CollectionOperationResponse>("Collections", "Create", collections.Create),
            Of<UpdateCollection, CollectionOperationResponse>("Collections", "Update", collections.Update),
            Of<DeleteCollection, CollectionOperationResponse>("Collections", "Delete", collections.Delete),
            Of<ChangeAliases, CollectionOperationResponse>("Collections", "UpdateAliases", collections.UpdateAliases),
            Of<ListCollectionAliasesRequest, ListAliasesResponse>("Collections", "ListCollectionAliases", collections.ListCollectionAliases),
            Of<ListAliasesRequest, ListAliasesResponse>("Collections", "ListAliases", collections.ListAliases),
            Of<CollectionExistsRequest, CollectionExistsResponse>("Collections", "CollectionExists", collections.Exists),
            Of<UpsertPoints, PointsOperationResponse>("Points", "Upsert", writing.Upsert),
            Of<DeletePoints, PointsOperationResponse>("Points", "Delete", writing.Delete),
            Of<SetPayloadPoints, PointsOperationResponse>("Points", "SetPayload", writing.SetPayload),
            Of<SetPayloadPoints, PointsOperationResponse>("Points", "OverwritePayload", writing.OverwritePayload),
            Of<DeletePayloadPoints, PointsOperationResponse>("Points", "DeletePayload", writing.DeletePayload),
            Of<ClearPayloadPoints, PointsOperationResponse>("Points", "ClearPayload", writing.ClearPayload),
            Of<CreateFieldIndexCollection, PointsOperationResponse>("Points", "CreateFieldIndex", writing.CreateFieldIndex),
            Of<DeleteFieldIndexCollection, PointsOperationResponse>("Points", "DeleteFieldIndex", writing.DeleteFieldIndex),
            Of<GetPoints, GetResponse>("Points", "Get", reading.Get),
            Of<ScrollPoints, ScrollResponse>("Points", "Scroll", reading.Scroll),
            Of<CountPoints, CountResponse>("Points", "Count", reading.Count),
            Of<QueryPoints, QueryResponse>("Points", "Query", reading.Query),
            Of<QueryBatchPoints, QueryBatchResponse>("Points", "QueryBatch", reading.QueryBatch),
        ];
    }

    /// <summary>It changes what is stored.</summary>
    public bool Writes => Service == "Collections" ? Name is "Create" or "Update" or "Delete" or "UpdateAliases" : Service == "Points" && Name is not ("Get" or "Scroll" or "Count" or "Query" or "QueryBatch");

    public Method<byte[], byte[]> Method { get; } = new(MethodType.Unary, "qdrant." + Service, Name, Marshallers.Create(bytes => bytes, bytes => bytes), Marshallers.Create(bytes => bytes, bytes => bytes));

    private static Rpc Of<TRequest, TResponse>(string service, string name, Func<TRequest, Caller, TResponse> answer)
        where TRequest : IMessage<TRequest>, new() where TResponse : IMessage
    {
        var parser = new MessageParser<TRequest>(() => new());
        return new(service, name, (bytes, caller) =>
        {
            TRequest request;
            try { request = parser.ParseFrom(bytes); }
            catch (InvalidProtocolBufferException e) { throw Refusal.Internal("failed to decode Protobuf message: " + e.Message); }
            return answer(request, caller).ToByteArray();
        });
    }
}
