using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>What was learned, what serves, and the way back.</summary>
internal static class ModelEndpoints
{
    /// <summary>Newest refusals in the list of models.</summary>
    private const int ListedRefusals = 100;

    public static void Map(IEndpointRouteBuilder v1, ApiOptions options)
    {
        v1.MapGet("/models", Models).WithName("ListModels").WithTags("Models").RequireAuthorization(Scopes.Read).WithSummary("Published models, refused challengers, and the pair in service");
        v1.MapGet("/models/{version}", Model).WithName("ShowModel").WithTags("Models").RequireAuthorization(Scopes.Read)
            .WithSummary("One model with its files and its lineage; every file is compared with what was published")
            .Refuses(StatusCodes.Status404NotFound);
        v1.MapPost("/models/{version}/activate", ActivateAsync).WithName("ActivateModel").WithTags("Models").RequireAuthorization(Scopes.Admin)
            .WithSummary("Makes a published version live again (rollback)")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        v1.MapGet("/models/{version}/archive", ExportAsync).WithName("ExportModel").WithTags("Models").RequireAuthorization(Scopes.Admin)
            .WithSummary("The model as one tar file, the same bytes each time")
            .Produces<Stream>(StatusCodes.Status200OK, "application/x-tar")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        v1.MapPost("/models/archives", ImportAsync).WithName("ImportModel").WithTags("Models").RequireAuthorization(Scopes.Admin)
            .WithSummary("Adds a model from such a file after checking all of it; it does not go live")
            .WithMetadata(new RequestSizeLimitAttribute(options.MaxArchiveBytes))
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge);
    }

    public static Ok<ModelsAnswer> Models(IModelStore models, ServingPairs pairs) => TypedResults.Ok(new ModelsAnswer(
        models.Live?.Value, models.Previous?.Value, [.. models.List().Select(manifest => ModelDescription.Of(manifest, models))], [.. models.Damaged().Select(damaged => new DamageDescription(damaged.Version.Value, damaged.Problem))],
        [.. models.Refusals().TakeLast(ListedRefusals).Select(RefusalDescription.Of)], pairs.Identity));

    public static Results<Ok<ModelAnswer>, ProblemHttpResult> Model(string version, IModelStore models, ServingPairs pairs)
    {
        var name = new ModelVersion(version);
        if (Find(models, name, out ModelManifest? manifest) is { } damage) return TypedResults.Ok(new ModelAnswer(version, models.Live == name, damage, null, [], [], pairs.Identity));
        if (manifest is null) return Refused.Unknown("model", version);
        return TypedResults.Ok(new ModelAnswer(version, models.Live == name, models.Problem(name), ModelDescription.Of(manifest, models),
            [.. (manifest.Files ?? []).Select(file => new FileDescription(file.Path, file.Bytes, file.Sha256))],
            [.. ModelLineage.Of(models, name).Select(AncestorDescription.Of)], pairs.Identity));
    }

    public static async Task<Results<Accepted<ActivationAnswer>, ProblemHttpResult>> ActivateAsync(
        string version, ModelActivation activation, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (await activation.ActivateAsync(new ModelVersion(version), "activated by request", cancellationToken) is not { } outcome) return Refused.Unknown("model", version);
        if (outcome.Problem is { } problem) return Refused.Conflict(problem);
        return TypedResults.Accepted((string?)null, new ActivationAnswer(version, outcome.Before?.Value, pairs.Identity));
    }

    public static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> ExportAsync(string version, IModelStore models, CancellationToken cancellationToken)
    {
        var name = new ModelVersion(version);
        if (Find(models, name, out ModelManifest? manifest) is { } damage) return Refused.Conflict(damage);
        if (manifest is null) return Refused.Unknown("model", version);
        FileStream archive = TemporaryFile();
        try
        {
            // Whole before the first byte is sent: what is damaged becomes an answer, not half a file.
            await Task.Run(() => models.Export(name, archive), cancellationToken);
            archive.Position = 0;
            return TypedResults.Stream(archive, "application/x-tar", $"{version}.tar");
        }
        catch (InvalidDataException damaged)
        {
            await archive.DisposeAsync();
            return Refused.Conflict(damaged.Message);
        }
        catch
        {
            await archive.DisposeAsync();
            throw;
        }
    }

    public static async Task<Results<Created<ImportAnswer>, ProblemHttpResult>> ImportAsync(
        Stream body, IModelStore models, IOptions<ApiOptions> options, ServingPairs pairs, CancellationToken cancellationToken)
    {
        await using FileStream archive = TemporaryFile();
        await body.CopyToAsync(archive, cancellationToken);
        archive.Position = 0;
        try
        {
            (ModelManifest manifest, bool added) = await Task.Run(
                () => models.Import(archive, "The archive", options.Value.MaxArchiveBytes, ModelTrial.Check), cancellationToken);
            return TypedResults.Created($"/v1/models/{manifest.Version}", new ImportAnswer(manifest.Version.Value, added, pairs.Identity));
        }
        catch (InvalidDataException refused)
        {
            return Refused.Field("body", refused.Message);
        }
    }

    /// <returns>What is wrong with the version's manifest; null where it is whole, or where there is none.</returns>
    private static string? Find(IModelStore models, ModelVersion version, out ModelManifest? manifest)
    {
        manifest = null;
        try
        {
            manifest = models.Find(version);
            return null;
        }
        catch (InvalidDataException damage)
        {
            return damage.Message;
        }
    }

    /// <summary>Gone when it is closed.</summary>
    private static FileStream TemporaryFile() =>
        new(Path.Combine(Path.GetTempPath(), $"beeformer-{Guid.NewGuid():N}.tar"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
}
