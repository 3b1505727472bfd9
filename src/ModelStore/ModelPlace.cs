using BeeFormer.Streaming.ModelStore.S3;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>The folder or the place on S3 where all of it lies.</summary>
internal sealed class ModelPlace : IDisposable
{
    private readonly string folder;
    private readonly TimeProvider time;
    private readonly S3Place? s3;

    private ModelPlace(string folder, TimeProvider time, S3Place? s3) => (this.folder, this.time, this.s3) = (folder, time, s3);

    public static ModelPlace Open(IConfiguration configuration, ModelStoreOptions options, string folder, TimeProvider time)
    {
        if (string.IsNullOrEmpty(options.Uri)) return new ModelPlace(folder, time, null);
        if (S3Location.TryParse(options.Uri) is not { } location) return new ModelPlace(S3Location.Folder(options.Uri), time, null);
        (S3Options reach, string section) = options.Reach(configuration);
        return new ModelPlace(folder, time, new S3Place(S3Client.Create(reach, section: section), location, time));
    }

    /// <param name="mayBeAway">A place on S3 need not answer now.</param>
    public IModelStore OpenModels(bool mayBeAway) => s3 is null ? new FolderModelStore(folder, time) : new S3ModelStore(s3, folder, time, mayBeAway: mayBeAway);

    public ITrainingRecords OpenTrainings() => s3 is null ? new FolderTrainingRecords(ModelStoreServices.TrainingsIn(folder)) : new S3TrainingRecords(s3.Records);

    public ILeases OpenLeases(ILogger? logger) => s3 is null ? Leases.InFolder(ModelStoreServices.LeasesIn(folder), time, logger) : new Leases(new S3LeaseFiles(s3.Leases), time, logger);

    public void Dispose() => s3?.Dispose();
}
