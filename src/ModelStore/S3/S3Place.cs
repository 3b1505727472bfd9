using Amazon.S3;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>A location with the patience that each kind of call has there.</summary>
/// <param name="records">For small objects, and for files of models, which have a second more for each MB.</param>
/// <param name="leases">For leases of works.</param>
internal sealed class S3Place(IAmazonS3 client, S3Location location, S3Resilience records, S3Resilience leases) : IDisposable
{
    public const string Setting = $"{ModelStoreOptions.Section}:Uri";

    public S3Place(IAmazonS3 client, S3Location location, TimeProvider time) : this(client, location,
        new S3Resilience(TimeSpan.FromSeconds(10), 4, TimeSpan.FromSeconds(0.2), time),
        // A renewal makes two calls. Should the first attempts of both hang, the second ones end before LeaseTimes.Sure has passed; should all hang, the next renewal begins in time.
        new S3Resilience(TimeSpan.FromSeconds(2), 1, TimeSpan.FromSeconds(0.1), time)) { }

    public S3Objects Records { get; } = new(client, location, records, setting: Setting);
    public S3Objects Leases { get; } = new(client, location, leases, setting: Setting);

    public void Dispose() => client.Dispose();
}
