using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>The state of the whole pipeline.</summary>
internal static class PipelineEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) => v1.MapGet("/pipeline", PipelineAsync).WithName("ShowPipeline").RequireAuthorization(Scopes.Read).WithTags("Pipeline")
        .WithSummary("What flows through each stage now: totals, rates of the last minute, lag, freshness, the model in service, what is being trained and built")
        .WithDescription("Looked at anew at most once a second. Rates need two looks: the first answer has none. A stage that could not be asked is null and named in unreachable. Requests and latencies are those of the process that answers.");

    public static async Task<Ok<PipelineAnswer>> PipelineAsync(PipelineWatch watch, CancellationToken cancellationToken) => TypedResults.Ok(await watch.LookAsync(cancellationToken));
}
