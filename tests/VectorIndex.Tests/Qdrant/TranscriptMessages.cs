using System.Text.Json.Nodes;
using Google.Protobuf;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Answers decoded with the client's stubs, as protobuf's JSON.</summary>
internal static class TranscriptMessages
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    /// <returns>Null: the subset lacks the method.</returns>
    public static JsonNode? Json(string method, byte[] response) =>
        Parser(method) is { } parser ? JsonNode.Parse(Formatter.Format(parser.ParseFrom(response))) : null;

    private static MessageParser? Parser(string method) => method switch
    {
        "/qdrant.Qdrant/HealthCheck" => HealthCheckReply.Parser,
        "/qdrant.Collections/Get" => GetCollectionInfoResponse.Parser,
        "/qdrant.Collections/List" => ListCollectionsResponse.Parser,
        "/qdrant.Collections/Create" or "/qdrant.Collections/Update" or "/qdrant.Collections/Delete" or "/qdrant.Collections/UpdateAliases" => CollectionOperationResponse.Parser,
        "/qdrant.Collections/ListCollectionAliases" or "/qdrant.Collections/ListAliases" => ListAliasesResponse.Parser,
        "/qdrant.Collections/CollectionExists" => CollectionExistsResponse.Parser,
        "/qdrant.Points/Upsert" or "/qdrant.Points/Delete" or "/qdrant.Points/SetPayload" or "/qdrant.Points/OverwritePayload"
            or "/qdrant.Points/CreateFieldIndex" or "/qdrant.Points/DeleteFieldIndex" or "/qdrant.Points/DeletePayload" or "/qdrant.Points/ClearPayload" => PointsOperationResponse.Parser,
        "/qdrant.Points/Get" => GetResponse.Parser,
        "/qdrant.Points/Scroll" => ScrollResponse.Parser,
        "/qdrant.Points/Count" => CountResponse.Parser,
        "/qdrant.Points/Query" => QueryResponse.Parser,
        "/qdrant.Points/QueryBatch" => QueryBatchResponse.Parser,
        _ => null,
    };
}
