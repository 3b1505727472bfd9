using System.Text.Json;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>On the data folder itself, while no server works on it.</summary>
internal sealed class StoredModels : IModelAccess
{
    private readonly DataFolder folder;
    private readonly string path;
    private readonly FolderModelStore models;
    private readonly FolderTrainingRecords trainings;

    /// <param name="folder">Locked; given back on disposal.</param>
    public StoredModels(DataFolder folder, string path)
    {
        (this.folder, this.path) = (folder, path);
        try
        {
            models = new FolderModelStore(folder.Models, TimeProvider.System);
            trainings = new FolderTrainingRecords(folder.Trainings);
            trainings.CloseInterrupted(TimeProvider.System.GetUtcNow()); // we have the lock: nobody trains
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public string Name => $"Data folder {path} (no server works on it)";

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
        // One that waits would run at the next start.
        bool waited = false;
        trainings.Change(id, known => (waited = known is { State: TrainingState.Queued }) ? known! with { State = TrainingState.Cancelled, EndedAt = TimeProvider.System.GetUtcNow(), Decision = "The training was cancelled; nothing was changed.", CancelRequested = true } : null);
        TrainingRow training = await TrainingAsync(id, cancellationToken);
        if (waited) return training;
        throw new IOException($"Training {id} has ended already ({training.State}): no server works on {path}, so nothing is trained there.");
    }

    public void Dispose() => folder.Dispose();

    private IOException Unknown(string what, string name) => new($"There is no {what} {name} in {path}.");

    private static ModelRow Row(ModelManifest manifest, IReadOnlyList<ErasureMark> marks) => new(
        manifest.Version.Value, manifest.Model.Fingerprint.Value, manifest.PublishedAt, manifest.Model.Dimension, manifest.Model.Parent?.Value, manifest.Model.WindowHash,
        JsonSerializer.SerializeToElement(manifest.Model.HyperParameters), JsonSerializer.SerializeToElement(manifest.Model.Metrics), manifest.Model.Decision, manifest.Origin?.Version.Value,
        marks.Count == 0 ? null : new ErasedUsersRow(marks.Count, marks.Count(mark => mark.InheritedFrom is not null), marks.Sum(mark => mark.Rows), marks.Max(mark => mark.At)));

    private static TrainingRow Row(TrainingRecord record) => new(
        record.Id, record.Tempo, record.Reason, JsonNamingPolicy.SnakeCaseLower.ConvertName(record.State.ToString()), record.RequestedAt, record.StartedAt, record.EndedAt,
        record.Phase, record.Fraction, record.Loss, record.Version?.Value, record.Decision, record.Metrics is { } metrics ? JsonSerializer.SerializeToElement(metrics) : null,
        record.ItemsPerSecond, record.EtaSeconds, record.Continues);
}
