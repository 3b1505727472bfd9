using SentVectors = System.Collections.Generic.IReadOnlyList<(string Name, System.Collections.Generic.IReadOnlyCollection<float> Data)>;
using Payload = Google.Protobuf.Collections.MapField<string, BeeFormer.Streaming.FakeQdrant.Wire.Value>;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The writes of qdrant.Points.</summary>
/// <param name="holdUnwaited">Unwaited writes are applied with the next waited one.</param>
internal sealed class Writing(Store store, Func<bool> holdUnwaited)
{
    public PointsOperationResponse Upsert(UpsertPoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        FilterBody.Check(request.UpdateFilter, "update_filter");
        if (!store.Generation.KnowsUpdateFilterAndMetadata) request.UpdateFilter = null;
        if (!store.Generation.KnowsUpdateModeAndQueue) request.ClearUpdateMode();
        var sent = request.Points.Select(Sent).ToList();
        if (request.UpdateFilter is not null) PointFilter.Of(request.UpdateFilter, new Dictionary<string, FieldType>());
        if (sent.Count == 0) throw Refusal.BadRequest("Empty update request");
        var collection = Target(request.CollectionName, caller);
        collection.Strict.BatchSize(sent.Count);
        foreach (var (_, _, vectors) in sent)
            foreach (var (name, vector) in vectors) collection.Spaces.GetValueOrDefault(name)?.CheckSize(vector);
        return Answer(collection, request.Wait, caller, sent.Count, change =>
        {
            var filter = PointFilter.Of(request.UpdateFilter, change.Indexes);
            var points = sent.Select(point => (point, Taken: Takes(change.Find(point.Key), request.UpdateMode, filter))).Where(pair => pair.Taken)
                .Select(pair => new Point(pair.point.Key, pair.point.Payload, Stored(collection, pair.point.Vectors), change.Number)).ToList();
            foreach (var point in points) change.Put(point);
        });
    }

    public PointsOperationResponse Delete(DeletePoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        var choice = Selected.Of(request.Points, "PointSelector is missing");
        var collection = Target(request.CollectionName, caller);
        collection.Strict.Filter(choice.Filter, collection.Indexes, update: true);
        return Answer(collection, request.Wait, caller, choice.Cost, change =>
        {
            foreach (var point in choice.Existing(change).ToList()) change.Remove(point.Key);
        });
    }

    public PointsOperationResponse SetPayload(SetPayloadPoints request, Caller caller)
    {
        var path = request.HasKey ? PayloadPath.Parse(request.Key) : null;
        var changes = PayloadValues.Stored(request.Payload);
        return ChangePayload(request.CollectionName, request.PointsSelector, request.Wait, caller, before => PayloadValues.Merged(before, changes, path));
    }

    public PointsOperationResponse OverwritePayload(SetPayloadPoints request, Caller caller)
    {
        var payload = PayloadValues.Stored(request.Payload);
        return ChangePayload(request.CollectionName, request.PointsSelector, request.Wait, caller, _ => payload);
    }

    public PointsOperationResponse DeletePayload(DeletePayloadPoints request, Caller caller)
    {
        var paths = request.Keys.Select(PayloadPath.Parse).ToList();
        return ChangePayload(request.CollectionName, request.PointsSelector, request.Wait, caller, before => PayloadValues.Without(before, paths));
    }

    public PointsOperationResponse ClearPayload(ClearPayloadPoints request, Caller caller) =>
        ChangePayload(request.CollectionName, request.Points, request.Wait, caller, _ => []);

    public PointsOperationResponse CreateFieldIndex(CreateFieldIndexCollection request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        FieldName(request.FieldName);
        var parameters = request.FieldIndexParams;
        if (parameters?.IntegerIndexParams is { HasLookup: true, Lookup: false, HasRange: true, Range: false })
            throw Refusal.Body("field_index_params.index_params.lookup", "Validation error: the 'lookup' and 'range' capabilities can't be both disabled [{}]");
        if (!request.HasFieldType) throw Refusal.Invalid("cannot convert field_type");
        if (parameters is { IntegerIndexParams: not null } && request.FieldType != FieldType.Integer || parameters is { KeywordIndexParams: not null } && request.FieldType != FieldType.Keyword)
            throw Refusal.Invalid($"field_type ({request.FieldType}) and field_index_params do not match");
        PayloadPath.Parse(request.FieldName);
        return Answer(Target(request.CollectionName, caller), request.Wait, caller, 1, change => change.Index(request.FieldName, request.FieldType), numbers: 2);
    }

    public PointsOperationResponse DeleteFieldIndex(DeleteFieldIndexCollection request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        FieldName(request.FieldName);
        return Answer(Target(request.CollectionName, caller), request.Wait, caller, 1, change => change.DropIndex(request.FieldName));
    }

    private PointsOperationResponse ChangePayload(string name, PointsSelector? selector, bool wait, Caller caller, Func<Payload, Payload> changed)
    {
        Body.CollectionName(name);
        var choice = Selected.Of(selector, "points_selector is expected");
        var collection = Target(name, caller);
        collection.Strict.Filter(choice.Filter, collection.Indexes, update: true);
        return Answer(collection, wait, caller, choice.Cost, change =>
        {
            foreach (var point in choice.Existing(change).ToList()) change.Put(point with { Payload = changed(point.Payload), Version = change.Number });
            choice.CheckAllExist(change);
        });
    }

    private Collection Target(string name, Caller caller)
    {
        var collection = store.Get(name);
        caller.ToWrite();
        return collection;
    }

    private PointsOperationResponse Answer(Collection collection, bool wait, Caller caller, int cost, Action<Collection.Change> apply, uint numbers = 1)
    {
        collection.Strict.Write(cost);
        var result = collection.Write(wait && !caller.WaitTimesOut, holdUnwaited(), caller.LoseWrites, apply, numbers);
        if (caller.WaitTimesOut) result.Status = UpdateStatus.WaitTimeout;
        return new() { Result = result };
    }

    private static Dictionary<string, float[]> Stored(Collection collection, SentVectors vectors) =>
        vectors.ToDictionary(vector => vector.Name, vector => collection.Space(vector.Name).Prepare(vector.Data));

    private static bool Takes(Point? before, UpdateMode mode, Func<Point, bool> filter) =>
        before is null ? mode != UpdateMode.UpdateOnly : mode != UpdateMode.InsertOnly && filter(before);

    private static void FieldName(string name)
    {
        if (name.Length == 0) throw Refusal.Body("field_name", "value \"\" invalid, must be at least 1 characters");
    }

    private static (PointKey Key, Payload Payload, SentVectors Vectors) Sent(PointStruct point, int index)
    {
        if (point.Id is null) throw Refusal.Invalid("Empty ID is not allowed");
        if (point.Vectors is null) throw Refusal.Invalid("Expected some vectors");
        SentVectors vectors = point.Vectors.VectorsOptionsCase switch
        {
            Vectors.VectorsOptionsOneofCase.Vector => [("", Data(point.Vectors.Vector, $"points[{index}].vector.vector"))],
            Vectors.VectorsOptionsOneofCase.Vectors_ => [.. point.Vectors.Vectors_.Vectors.Select(pair => (pair.Key, Data(pair.Value, $"points[{index}].vector.{pair.Key}")))],
            _ => throw Refusal.Invalid("No Vector Provided"),
        };
        return (PointKey.Of(point.Id), PayloadValues.Stored(point.Payload), vectors);
    }

    private static Google.Protobuf.Collections.RepeatedField<float> Data(Vector vector, string field)
    {
        var data = vector.Dense?.Data ?? vector.Data;
        return data.Count > 0 ? data : throw Refusal.WrongInput(field + ": dense vector must not be empty");
    }
}
