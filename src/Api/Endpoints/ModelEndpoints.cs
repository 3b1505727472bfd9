using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>What was learned, what serves, and the way back.</summary>
internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapGet("/models", Models).WithName("ListModels").WithTags("Models").WithSummary("Published models, refused challengers, and the pair in service");
        v1.MapPost("/models/{version}/activate", ActivateAsync).WithName("ActivateModel").WithTags("Models")
            .WithSummary("Makes a published version live again (rollback)")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        v1.MapPost("/trainings", TrainAsync).WithName("StartTraining").WithTags("Models")
            .WithSummary("Asks for a training on what was collected until now")
            .ProducesProblem(StatusCodes.Status400BadRequest);
    }

    public static Ok<ModelsAnswer> Models(IModelStore models, ServingPairs pairs) => TypedResults.Ok(new ModelsAnswer(
        models.Live?.Value, [.. models.List().Select(ModelDescription.Of)], [.. models.Refusals().Select(RefusalDescription.Of)], pairs.Identity));

    public static async Task<Results<Accepted<ActivationAnswer>, ProblemHttpResult>> ActivateAsync(
        string version, IModelStore models, ModelActivation activation, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (models.Find(new ModelVersion(version)) is not { } manifest) return Refused.Unknown("model", version);
        var (before, problem) = await activation.ActivateAsync(manifest, "activated by request", cancellationToken);
        if (problem is not null) return Refused.Conflict(problem);
        return TypedResults.Accepted((string?)null, new ActivationAnswer(version, before?.Value, pairs.Identity));
    }

    public static async Task<Results<Accepted<TrainingAnswer>, ProblemHttpResult>> TrainAsync(TrainingRequest? request, IBus bus, ServingPairs pairs, CancellationToken cancellationToken)
    {
        TrainingTempo? tempo = request?.Tempo switch
        {
            null or "head" => TrainingTempo.Head,
            "encoder" => TrainingTempo.Encoder,
            _ => null,
        };
        if (tempo is null) return Refused.Field("tempo", $"tempo is {request!.Tempo}; expected head or encoder.");
        var training = Guid.CreateVersion7();
        await bus.Publish(new TrainEncoder(training, tempo.Value, "manual"), cancellationToken);
        return TypedResults.Accepted((string?)null, new TrainingAnswer(training, tempo == TrainingTempo.Head ? "head" : "encoder", pairs.Identity));
    }
}
