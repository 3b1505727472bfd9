using BeeFormer.Streaming.ModelStore.S3;
using BeeFormer.Streaming.WindowStore.Tests;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>An empty place for models and trainings. Each opening is another process as far as the place can tell; on S3 it is on another machine.</summary>
public abstract class Place : IDisposable
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("model-store-").FullName;

    internal abstract IModelStore Open();
    internal abstract ITrainingRecords OpenTrainings();
    internal abstract ILeases OpenLeases(TimeProvider time);
    internal virtual int MostTrainings => FolderTrainingRecords.MostRecords;
    /// <summary>An empty place of the same kind.</summary>
    internal abstract Place Another();
    public virtual void Dispose() => Directory.Delete(Folder, recursive: true);
}

internal sealed class FolderPlace : Place
{
    internal override IModelStore Open() => new FolderModelStore(Folder, TimeProvider.System);
    internal override ITrainingRecords OpenTrainings() => new FolderTrainingRecords(ModelStoreServices.TrainingsIn(Folder));
    internal override ILeases OpenLeases(TimeProvider time) => Leases.InFolder(ModelStoreServices.LeasesIn(Folder), time);
    internal override Place Another() => new FolderPlace();
}

internal sealed class BucketPlace(S3Server server) : Place
{
    private readonly S3Location location = server.NewLocation();
    private readonly List<S3Place> opened = [];
    private int machines;

    /// <summary>As it stands in addresses of requests.</summary>
    public string Address => $"/{location.Bucket}/{location.Prefix}/";

    internal S3Place Reach(TimeProvider? networkTime = null)
    {
        TimeProvider time = networkTime ?? TimeProvider.System;
        var place = new S3Place(S3Client.Create(server.Options, S3Server.Credentials), location,
            new S3Resilience(TimeSpan.FromSeconds(10), 4, TimeSpan.FromMilliseconds(1), time), new S3Resilience(TimeSpan.FromSeconds(10), 1, TimeSpan.FromMilliseconds(1), time)); // a test of the limit has the one that a program has
        lock (opened) opened.Add(place);
        return place;
    }

    internal S3ModelStore OpenOn(string machine, TimeProvider? networkTime = null, ObjectAges? ages = null) => new(Reach(networkTime), CopiesOf(machine), TimeProvider.System, ages);

    /// <summary>As a service does that works with the copies it has.</summary>
    internal S3ModelStore OpenThoughAway(string machine, TimeProvider time) => new(Reach(time), CopiesOf(machine), time, mayBeAway: true);

    internal string CopiesOf(string machine) => Path.Combine(Folder, machine);

    internal override IModelStore Open() => OpenOn($"machine-{Interlocked.Increment(ref machines)}");
    internal override ITrainingRecords OpenTrainings() => new S3TrainingRecords(Reach().Records, MostTrainings);
    internal override int MostTrainings => 10; // the test server lists slowly
    internal override ILeases OpenLeases(TimeProvider time) => new Leases(new S3LeaseFiles(Reach().Leases), time);
    internal override Place Another() => new BucketPlace(server);

    internal Task<IReadOnlyList<string>> Requests() => server.RequestsAsync(location);
    internal Task Fail(string method, string part, params string[] actions) => server.FailAsync([.. actions.Select(action => (method, Address + part, action))]);

    /// <summary>Nothing succeeds until <see cref="BackAsync"/>.</summary>
    internal Task AwayAsync(string action) => server.FailAsync([.. from method in (string[])["GET", "PUT"] from part in Parts from _ in Enumerable.Range(0, 300) select (method, part, action)]);

    internal Task BackAsync() => server.FailAsync([.. Parts.Select(part => ("GET", $"{part}none", "pass"))]);

    /// <summary>How addresses of its objects and of its listings begin.</summary>
    private string[] Parts => [$"/{location.Bucket}/", $"/{location.Bucket}?"];

    public override void Dispose()
    {
        foreach (S3Place place in opened) place.Dispose();
        base.Dispose();
    }
}
