using Grpc.Core;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Errors with the codes and texts of Qdrant 1.19.</summary>
internal static class Refusal
{
    public static RpcException Invalid(string detail) => new(new Status(StatusCode.InvalidArgument, detail));

    public static RpcException WrongInput(string detail) => Invalid("Wrong input: " + detail);

    public static RpcException BadRequest(string detail) => Invalid("Bad request: " + detail);

    public static RpcException Body(string field, string detail) => Invalid($"Validation error in body: [{field}: {detail}]");

    public static RpcException Exists(string collection) => new(new Status(StatusCode.AlreadyExists, $"Wrong input: Collection `{collection}` already exists!"));

    public static RpcException NoCollection(string name) => NotFound($"Collection `{name}` doesn't exist!");

    public static RpcException NoPoint(PointKey key) => NotFound($"No point with id {key} found");

    public static RpcException NotFound(string detail) => new(new Status(StatusCode.NotFound, "Not found: " + detail));

    public static RpcException Internal(string detail) => new(new Status(StatusCode.Internal, detail));

    public static RpcException Forbidden() => new(new Status(StatusCode.PermissionDenied, "Forbidden: Global manage access is required"));

    public static RpcException RateLimited(string detail, int? retryAfterSeconds)
    {
        var trailers = new Metadata();
        if (retryAfterSeconds is { } seconds) trailers.Add("retry-after", seconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return new(new Status(StatusCode.ResourceExhausted, "Rate limiting exceeded: " + detail), trailers);
    }
}
