using System.Text.Json;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>On the data folder itself, while no server works on it, or on the place that <c>Models:Uri</c> names.</summary>
internal sealed class StoredModels : IModelAccess
{
    private readonly DataFolder folder;
    private readonly ServiceProvider services;
    private readonly IModelStore models;
    private readonly ITrainingRecords trainings;
    private readonly string place;
    /// <summary>Processes elsewhere may work there.</summary>
    private readonly bool shared;

    /// <param name="folder">Locked; given back on disposal.</param>
    public StoredModels(DataFolder folder, string path)
    {
        this.folder = folder;
        ConfigurationManager configuration = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory }).Configuration;
        string? uri = configuration[$"{ModelStoreOptions.Section}:{nameof(ModelStoreOptions.Uri)}"];
        (shared, place) = string.IsNullOrEmpty(uri) ? (false, path) : (true, uri);
        services = new ServiceCollection().AddModelStore(configuration, folder.Models).BuildServiceProvider();
        try
        {
            models = services.GetRequiredService<IModelStore>();
            trainings = services.GetRequiredService<ITrainingRecords>();
            if (!shared) trainings.CloseInterrupted(TimeProvider.System.GetUtcNow()); // we have the lock: nobody trains
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name => shared ? $"Models in {place} (no server works on the data folder)" : $"Data folder {place} (no server works on it)";

    public Task<ModelsReport> ModelsAsync(CancellationToken cancellationToken) => Task.FromResult(new ModelsReport(
        models.Live?.Value, models.Previous?.Value, [.. models.List().Select(manifest => Row(manifest, models.Erasures(manifest.Version)))], [.. models.Damaged().Select(damaged => new DamagedRow(damaged.Version.Value, damaged.Problem))]));

    public Task<ModelReport> ModelAsync(string version, CancellationToken cancellationToken)
    {
        var name = new ModelVersion(version);
        ModelManifest? manifest;
        try
        {
            manifest = models.Find(name) ?? throw Unknown("model", version);
        }
        catch (InvalidDataException damage)
        {
            return Task.FromResult(new ModelReport(version, models.Live == name, damage.Message, null, [], []));
        }
        return Task.FromResult(new ModelReport(version, models.Live == name, models.Problem(name), Row(manifest, models.Erasures(name)),
            [.. (manifest.Files ?? []).Select(file => new FileRow(file.Path, file.Bytes, file.Sha256))],
            [.. ModelLineage.Of(models, name).Select(one => new AncestorRow(one.Version.Value, one.Model.Parent?.Value, one.PublishedAt, one.Model.Fingerprint.Value, one.Model.Decision))]));
    }

    public async Task<ActivationReport> ActivateAsync(string version, CancellationToken cancellationToken)
    {
        var name = new ModelVersion(version);
        ModelManifest manifest = models.Find(name) ?? throw Unknown("model", version);
        ModelVersion? before = models.Live;
        try
        {
            await Task.Run(() => ModelTrial.Check(manifest, models.EncoderFolder(name)), cancellationToken);
        }
        catch (InvalidDataException problem)
        {
            throw new InvalidDataException($"Model {version} was not activated: {problem.Message}", problem);
        }
        return models.TryMoveLive(before, name) ? new ActivationReport(version, before?.Value)
            : throw new IOException($"Model {version} was not activated: another model went live at the same moment; look and try again.");
    }

    public Task<long> ArchiveBytesAsync(string version, CancellationToken cancellationToken) =>
        Task.FromResult((models.Find(new ModelVersion(version)) ?? throw Unknown("model", version)).Files?.Sum(file => file.Bytes) ?? 0);

    public Task ExportAsync(string version, Stream archive, CancellationToken cancellationToken) => Task.Run(() => models.Export(new ModelVersion(version), archive), cancellationToken);

    public async Task<ImportReport> ImportAsync(Stream archive, string name, CancellationToken cancellationToken)
    {
        // Nothing in it is packed: what it holds is no more than what it is.
        (ModelManifest manifest, bool added) = await Task.Run(
            () => models.Import(archive, name, archive.Length, ModelTrial.Check), cancellationToken);
        return new ImportReport(manifest.Version.Value, added);
    }

    public Task<TrainingsReport> TrainingsAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new TrainingsReport([.. trainings.List().Reverse().Select(record => Row(record with { Metrics = null }))]));

    public Task<TrainingRow> TrainingAsync(Guid id, CancellationToken cancellationToken) => Task.FromResult(Row(trainings.Find(id) ?? throw Unknown("training", id.ToString())));

    public async Task<TrainingRow> CancelAsync(Guid id, CancellationToken cancellationToken)
    {
        // One that waits would run at the next start; one that runs, elsewhere, sees the mark.
        bool marked = false;
        trainings.Change(id, known => (marked = known is { State: TrainingState.Queued } || (shared && known is { Ended: false })) ? Cancelled(known!) : null);
        TrainingRow training = await TrainingAsync(id, cancellationToken);
        return marked ? training : throw new IOException($"Training {id} has ended already ({training.State}){(shared ? "" : $": no server works on {place}, so nothing is trained there")}.");
    }

    private static TrainingRecord Cancelled(TrainingRecord known) => (known.State == TrainingState.Queued
        ? known with { State = TrainingState.Cancelled, EndedAt = TimeProvider.System.GetUtcNow(), Decision = "The training was cancelled; nothing was changed." } : known) with { CancelRequested = true };

    public void Dispose()
    {
        services.Dispose();
        folder.Dispose();
    }

    private IOException Unknown(string what, string name) => new($"There is no {what} {name} in {place}.");

    private static ModelRow Row(ModelManifest manifest, IReadOnlyList<ErasureMark> marks) => new(
        manifest.Version.Value, manifest.Model.Fingerprint.Value, manifest.PublishedAt, manifest.Model.Dimension, manifest.Model.Parent?.Value, manifest.Model.WindowHash,
        JsonSerializer.SerializeToElement(manifest.Model.HyperParameters), JsonSerializer.SerializeToElement(manifest.Model.Metrics), manifest.Model.Decision, manifest.Origin?.Version.Value,
        marks.Count == 0 ? null : new ErasedUsersRow(marks.Count, marks.Count(mark => mark.InheritedFrom is not null), marks.Sum(mark => mark.Rows), marks.Max(mark => mark.At)));

    private static TrainingRow Row(TrainingRecord record) => new(
        record.Id, record.Tempo, record.Reason, JsonNamingPolicy.SnakeCaseLower.ConvertName(record.State.ToString()), record.RequestedAt, record.StartedAt, record.EndedAt,
        record.Phase, record.Fraction, record.Loss, record.Version?.Value, record.Decision, record.Metrics is { } metrics ? JsonSerializer.SerializeToElement(metrics) : null,
        record.ItemsPerSecond, record.EtaSeconds, record.Continues);
}
