using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>Trainings: asked for, watched, cancelled. The trainer keeps the records; here they are read.</summary>
internal static class TrainingEndpoints
{
    private const int LongestPolicy = 1 << 20;

    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapPost("/trainings", TrainAsync).WithName("StartTraining").WithTags("Trainings").RequireAuthorization(Scopes.Admin)
            .WithExample("""{"tempo": "head"}""")
            .WithSummary("Asks for a training on what was collected until now")
            .Refuses(StatusCodes.Status400BadRequest);
        v1.MapGet("/trainings", Trainings).WithName("ListTrainings").WithTags("Trainings").RequireAuthorization(Scopes.Read).WithSummary("Trainings that wait, run or have ended, newest first");
        v1.MapGet("/trainings/{id:guid}", Training).WithName("ShowTraining").WithTags("Trainings").RequireAuthorization(Scopes.Read).WithSummary("How far a training is, or how it ended")
            .Refuses(StatusCodes.Status404NotFound);
        v1.MapPost("/trainings/{id:guid}/cancel", CancelAsync).WithName("CancelTraining").WithTags("Trainings").RequireAuthorization(Scopes.Admin).WithSummary("Ends a training that waits or runs; nothing is changed by it")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
    }

    public static async Task<Results<Accepted<TrainingAnswer>, ProblemHttpResult>> TrainAsync(
        TrainingRequest? request, PublishControlMessage publish, ITrainingRecords records, TimeProvider clock, ServingPairs pairs, CancellationToken cancellationToken)
    {
        TrainingTempo? tempo = request?.Tempo switch
        {
            null or "head" => TrainingTempo.Head,
            "encoder" => TrainingTempo.Encoder,
            _ => null,
        };
        if (tempo is null) return Refused.Field("tempo", $"tempo is {request!.Tempo}; expected head or encoder.");
        if (request?.Policy is { Length: > LongestPolicy }) return Refused.Field("policy", $"policy has {request.Policy.Length} characters; at most {LongestPolicy} are allowed.");
        string name = tempo == TrainingTempo.Head ? "head" : "encoder";
        var training = Guid.CreateVersion7();
        if (records.List().Count(record => record.State == TrainingState.Queued) >= TrainingRecord.MostQueued)
            return Refused.Problem(StatusCodes.Status429TooManyRequests, "too_many_trainings", $"{TrainingRecord.MostQueued} trainings wait already; cancel some, or try again when fewer do.");
        // The trainer finds it by its record; the message only hurries it.
        records.Save(new TrainingRecord(training, name, "manual", TrainingState.Queued, clock.GetUtcNow(), Policy: request?.Policy));
        await publish(new TrainEncoder(training, tempo.Value, "manual", request?.Policy), cancellationToken);
        return TypedResults.Accepted($"/v1/trainings/{training}", new TrainingAnswer(training, name, pairs.Identity));
    }

    public static Ok<TrainingsAnswer> Trainings(ITrainingRecords records, ServingPairs pairs) =>
        TypedResults.Ok(new TrainingsAnswer([.. records.List().Reverse().Select(record => TrainingDescription.Of(record with { Metrics = null, Losses = null }))], pairs.Identity));

    public static Results<Ok<TrainingDescription>, ProblemHttpResult> Training(Guid id, ITrainingRecords records) =>
        records.Find(id) is { } record ? TypedResults.Ok(TrainingDescription.Of(record)) : Refused.Unknown("training", id.ToString());

    public static async Task<Results<Accepted<TrainingDescription>, ProblemHttpResult>> CancelAsync(Guid id, ITrainingRecords records, PublishControlMessage publish, CancellationToken cancellationToken)
    {
        if (records.Change(id, known => known is { Ended: false } ? known with { CancelRequested = true } : null) is not { } record) return Refused.Unknown("training", id.ToString());
        if (record.Ended) return Refused.Conflict($"Training {id} has ended already ({TrainingDescription.Name(record.State)}): {record.Decision}");
        await publish(new CancelTraining(id), cancellationToken);
        return TypedResults.Accepted($"/v1/trainings/{id}", TrainingDescription.Of(record));
    }
}
