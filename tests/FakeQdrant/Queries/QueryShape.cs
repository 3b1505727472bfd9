namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Checks of a query that need no collection.</summary>
internal static class QueryShape
{
    /// <exception cref="Grpc.Core.RpcException">Something is missing, or an id is none.</exception>
    public static void Check(QueryPoints request)
    {
        PayloadSelection.Of(request.WithPayload, false);
        foreach (var search in Search.Of(request).All)
        {
            PointFilter.Of(search.Filter, new Dictionary<string, FieldType>());
            switch (search.Query?.VariantCase)
            {
                case Query.VariantOneofCase.None: throw Refusal.Invalid("Query variant is missing");
                case Query.VariantOneofCase.Nearest: Check(search.Query.Nearest); break;
                case Query.VariantOneofCase.Recommend:
                    foreach (var input in search.Query.Recommend.Positive.Concat(search.Query.Recommend.Negative)) Check(input);
                    break;
            }
        }
    }

    private static void Check(VectorInput input)
    {
        if (input.VariantCase == VectorInput.VariantOneofCase.None) throw Refusal.Invalid("VectorInput variant is missing");
        if (input.Id is { } id) PointKey.Of(id);
    }
}
