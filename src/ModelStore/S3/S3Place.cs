using Amazon.S3;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>A location with the patience that each kind of call has there.</summary>
internal sealed class S3Place(IAmazonS3 client, S3Location location, TimeProvider time) : IDisposable
{
    public const string Setting = $"{ModelStoreOptions.Section}:Uri";

    /// <summary>Small objects, and files of models, which have a second more for each MB.</summary>
    public S3Objects Records { get; } = new(client, location, new S3Resilience(TimeSpan.FromSeconds(10), 4, TimeSpan.FromSeconds(0.2), time), setting: Setting);

    /// <summary>A renewal makes two calls. If the first attempts of both hang, the second ones end before <see cref="LeaseTimes.Sure"/> has passed; if all hang, there is time for the next renewal.</summary>
    public S3Objects Leases { get; } = new(client, location, new S3Resilience(TimeSpan.FromSeconds(1.5), 1, TimeSpan.FromSeconds(0.1), time), setting: Setting);

    public void Dispose() => client.Dispose();
}
