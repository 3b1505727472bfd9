namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>What qdrant.Qdrant and qdrant.Collections answer.</summary>
/// <param name="report">Changes what a collection reports of itself.</param>
internal sealed class CollectionCalls(Store store, Action<CollectionInfo> report)
{
    public HealthCheckReply HealthCheck(HealthCheckRequest request, Caller caller) =>
        new() { Title = "qdrant - vector search engine", Version = store.Generation.Version.ToString(), Commit = "fake" };

    public GetCollectionInfoResponse Get(GetCollectionInfoRequest request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        var collection = store.Get(request.CollectionName);
        var points = collection.Snapshot();
        var config = collection.Config;
        var built = config.OptimizerConfig.IndexingThreshold > 0 && config.HnswConfig.M > 0;
        var info = new CollectionInfo
        {
            Status = CollectionStatus.Green,
            OptimizerStatus = new OptimizerStatus { Ok = true },
            SegmentsCount = 1,
            Config = config.Clone(),
            PointsCount = (ulong)points.Length,
            IndexedVectorsCount = built ? (ulong)points.Sum(point => point.Vectors.Count) : 0,
            UpdateQueue = store.Generation.KnowsUpdateModeAndQueue ? new UpdateQueueInfo { Length = (ulong)collection.Held } : null,
        };
        foreach (var (field, type) in collection.Indexes)
            info.PayloadSchema[field] = new PayloadSchemaInfo { DataType = (PayloadSchemaType)((int)type + 1), Points = (ulong)points.LongCount(PayloadIndex.Holds(field, type)) };
        report(info);
        return new() { Result = info };
    }

    public ListCollectionsResponse List(ListCollectionsRequest request, Caller caller) =>
        new() { Collections = { store.All.Select(collection => new CollectionDescription { Name = collection.Name }) } };

    public CollectionOperationResponse Create(CreateCollection request, Caller caller)
    {
        Body.Settings(request);
        caller.ToWrite();
        if (request.CollectionName is "." or "..") throw Refusal.Internal("Service internal error: Invalid path to delete: " + request.CollectionName);
        if (!store.Generation.KnowsUpdateFilterAndMetadata) request.Metadata.Clear();
        store.Create(request.CollectionName, CollectionSettings.Of(request));
        return new() { Result = true };
    }

    public CollectionOperationResponse Update(UpdateCollection request, Caller caller)
    {
        Body.Settings(request);
        caller.ToWrite();
        if (!store.Generation.KnowsUpdateFilterAndMetadata) request.Metadata.Clear();
        store.Get(request.CollectionName).Update(request);
        return new() { Result = true };
    }

    public CollectionOperationResponse Delete(DeleteCollection request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        if (request.HasTimeout) Body.AtLeast(1, request.Timeout, "timeout");
        caller.ToWrite();
        return new() { Result = store.Drop(request.CollectionName) };
    }

    public CollectionOperationResponse UpdateAliases(ChangeAliases request, Caller caller)
    {
        if (request.HasTimeout) Body.AtLeast(1, request.Timeout, "timeout");
        if (request.Actions.Any(action => action.ActionCase == AliasOperations.ActionOneofCase.None)) throw Refusal.Invalid("Malformed AliasOperation type");
        caller.ToWrite();
        store.Change(request.Actions);
        return new() { Result = true };
    }

    public ListAliasesResponse ListCollectionAliases(ListCollectionAliasesRequest request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        return new() { Aliases = { store.Aliases.Where(alias => alias.CollectionName == request.CollectionName) } };
    }

    public ListAliasesResponse ListAliases(ListAliasesRequest request, Caller caller) => new() { Aliases = { store.Aliases } };

    public CollectionExistsResponse Exists(CollectionExistsRequest request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        return new() { Result = new CollectionExists { Exists = store.Find(request.CollectionName) is not null } };
    }
}
