using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace BeeFormer.Streaming;

/// <summary>The SDK's client as the stores want it.</summary>
internal static class S3Client
{
    /// <param name="credentials">Null: those that the SDK finds.</param>
    /// <param name="section">Where the options stand in the configuration.</param>
    /// <exception cref="InvalidDataException">There is no region.</exception>
    public static AmazonS3Client Create(S3Options options, AWSCredentials? credentials = null, string section = "Storage:S3")
    {
        var config = new AmazonS3Config
        {
            MaxErrorRetry = 0, // ours repeats
            ForcePathStyle = options.ForcePathStyle,
            // SigV4 signs the content anyway, and stores other than Amazon's do not all know the SDK's newer checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.ServiceUrl is not null)
        {
            config.ServiceURL = options.ServiceUrl;
            config.AuthenticationRegion = options.Region ?? "us-east-1";
        }
        else if (options.Region is not null) config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        else if (FallbackRegionFactory.GetRegionEndpoint() is null)
            throw new InvalidDataException($"{section} names neither a Region nor a ServiceUrl, and the AWS SDK finds no region; expected one there, in AWS_REGION or in the profile.");
        return credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }
}
