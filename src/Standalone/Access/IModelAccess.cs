namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>Models and trainings of one data folder, by whichever way is safe.</summary>
internal interface IModelAccess : IAccess
{
    Task<ModelsReport> ModelsAsync(CancellationToken cancellationToken);
    Task<ModelReport> ModelAsync(string version, CancellationToken cancellationToken);
    Task<ActivationReport> ActivateAsync(string version, CancellationToken cancellationToken);
    /// <summary>About how long the archive of a model is, in bytes.</summary>
    Task<long> ArchiveBytesAsync(string version, CancellationToken cancellationToken);
    Task ExportAsync(string version, Stream archive, CancellationToken cancellationToken);
    /// <param name="archive">One whose length is known.</param>
    /// <param name="name">What to call the archive in errors.</param>
    Task<ImportReport> ImportAsync(Stream archive, string name, CancellationToken cancellationToken);
    Task<TrainingsReport> TrainingsAsync(CancellationToken cancellationToken);
    Task<TrainingRow> TrainingAsync(Guid id, CancellationToken cancellationToken);
    Task<TrainingRow> CancelAsync(Guid id, CancellationToken cancellationToken);
}

internal static class ModelAccess
{
    public static IModelAccess Open(string path) => DataAccess.Open<IModelAccess>(path, folder => new StoredModels(folder, path), server => new ServedModels(server));
}
