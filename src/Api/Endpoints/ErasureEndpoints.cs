using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>Whether a user is gone from everywhere.</summary>
internal static class ErasureEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/users/{id}/erasure", FindAsync).WithName("VerifyErasure").WithTags("Events").RequireAuthorization(Scopes.Admin)
            .WithSummary("Looks through every store for a user and says what still holds something")
            .WithDescription("Reads the whole log and every file of the data folder: seconds to minutes.")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status501NotImplemented);

    public static async Task<Results<Ok<ErasureReport>, ProblemHttpResult>> FindAsync(string id, HttpContext context, [FromServices] IErasureSearch? search, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id, segmentsAfter: 1) is { } badId) return badId;
        if (search is null) return Refused.Problem(StatusCodes.Status501NotImplemented, "not_here", "This process does not see all stores; ask the one that hosts them.");
        return TypedResults.Ok(await search.FindAsync(new UserId(id), cancellationToken));
    }
}
