namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>Through the HTTP API of a running server.</summary>
internal sealed class ServedModels(Uri server) : IModelAccess
{
    private readonly ServerClient client = new(server);

    public string Name => client.Name;

    public Task<ModelsReport> ModelsAsync(CancellationToken cancellationToken) => client.SendAsync<ModelsReport>(HttpMethod.Get, "v1/models", null, cancellationToken);
    public Task<ModelReport> ModelAsync(string version, CancellationToken cancellationToken) => client.SendAsync<ModelReport>(HttpMethod.Get, Of(version), null, cancellationToken);
    public Task<ActivationReport> ActivateAsync(string version, CancellationToken cancellationToken) => client.SendAsync<ActivationReport>(HttpMethod.Post, Of(version) + "/activate", null, cancellationToken);

    public async Task<long> ArchiveBytesAsync(string version, CancellationToken cancellationToken) => (await ModelAsync(version, cancellationToken)).Files.Sum(file => file.Bytes);

    public async Task ExportAsync(string version, Stream archive, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.AskAsync(HttpMethod.Get, Of(version) + "/archive", null, cancellationToken);
        await response.Content.CopyToAsync(archive, cancellationToken);
    }

    public async Task<ImportReport> ImportAsync(Stream archive, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.SendAsync<ImportReport>(HttpMethod.Post, "v1/models/archives", new StreamContent(archive), cancellationToken);
        }
        catch (RefusedException refused)
        {
            throw new IOException($"{name} was not imported. {refused.Message}", refused);
        }
    }

    /// <param name="policy">A policy file's text; null: the server's own.</param>
    public async Task<Guid> TrainAsync(string? tempo, string? policy, CancellationToken cancellationToken) =>
        (await client.SendAsync<Asked>(HttpMethod.Post, "v1/trainings", ServerClient.Json(new { tempo, policy }), cancellationToken)).TrainingId;

    public Task<TrainingsReport> TrainingsAsync(CancellationToken cancellationToken) => client.SendAsync<TrainingsReport>(HttpMethod.Get, "v1/trainings", null, cancellationToken);
    public Task<TrainingRow> TrainingAsync(Guid id, CancellationToken cancellationToken) => client.SendAsync<TrainingRow>(HttpMethod.Get, $"v1/trainings/{id}", null, cancellationToken);
    public Task<TrainingRow> CancelAsync(Guid id, CancellationToken cancellationToken) => client.SendAsync<TrainingRow>(HttpMethod.Post, $"v1/trainings/{id}/cancel", null, cancellationToken);

    public void Dispose() => client.Dispose();

    private sealed record Asked(Guid TrainingId);

    /// <summary>Names of versions are plain; of anything else, such as "..", a path would make something of its own.</summary>
    private static string Of(string version) =>
        version.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-') ? $"v1/models/{version}" : throw new RefusedException($"There is no model {version}.");
}
