using Amazon.Runtime;
using BeeFormer.Streaming.WindowStore.Folder;
using BeeFormer.Streaming.WindowStore.S3;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>An empty place for a store. Each opening is another process as far as the place can tell; on S3 it is on another machine.</summary>
public abstract class StoragePlace : IDisposable
{
    protected TemporaryFolder Folder { get; } = new();

    internal ParquetWindowStore Open() => new(OpenStorage());
    internal abstract ISegmentStorage OpenStorage(TimeProvider? time = null);
    public virtual void Dispose() => Folder.Dispose();
}

internal sealed class FolderPlace : StoragePlace
{
    public string File(string name) => Folder.File(name);
    internal override ISegmentStorage OpenStorage(TimeProvider? time = null) => new FolderStorage(Folder.Path);
}

internal sealed class S3Place : StoragePlace
{
    private readonly S3Server server;
    private readonly List<IDisposable> opened = [];

    public S3Place(S3Server server)
    {
        (this.server, Location) = (server, server.NewLocation());
    }

    public S3Location Location { get; }
    public long CacheBytes { get; set; } = long.MaxValue;

    internal override ISegmentStorage OpenStorage(TimeProvider? time = null) => OpenOn($"machine-{opened.Count}", time);

    internal S3Storage OpenOn(string machine, TimeProvider? time = null, TimeProvider? networkTime = null)
    {
        var storage = new S3Storage(Objects(time: networkTime), new S3Cache(CacheOf(machine), CacheBytes, time ?? TimeProvider.System), time ?? TimeProvider.System);
        opened.Add(storage);
        return storage;
    }

    internal S3Objects Objects(AWSCredentials? credentials = null, S3Location? location = null, TimeProvider? time = null, int keysAPage = 1000) => new(
        S3Client.Create(server.Options, credentials ?? S3Server.Credentials), location ?? Location, new S3Resilience(TimeSpan.FromSeconds(60), Retries: 4, TimeSpan.FromMilliseconds(1), time ?? TimeProvider.System), keysAPage);

    public string CacheOf(string machine) => Folder.File(machine);

    public override void Dispose()
    {
        foreach (var storage in opened) storage.Dispose();
        base.Dispose();
    }
}
