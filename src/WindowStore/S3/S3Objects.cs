using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>
/// The few calls that the store makes. Each has a time limit and is repeated by <see cref="S3Resilience"/>; what fails for good is an <see cref="IOException"/> that names bucket and key.
/// Names are relative to the location.
/// </summary>
internal sealed class S3Objects(IAmazonS3 client, S3Location location, S3Resilience resilience, int keysAPage = 1000) : IDisposable
{
    private const string WriterField = "x-amz-meta-writer";
    private const string MetadataPrefix = "x-amz-meta-";

    public string FullName(string name) => $"s3://{location.Bucket}/{location.Key(name)}";

    /// <summary>All objects whose names start so, in the order of their keys' bytes.</summary>
    public List<S3Entry> List(string prefix)
    {
        var entries = new List<S3Entry>();
        string? next = null;
        do
        {
            string? page = next;
            var response = Call("list", prefix, token => client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = location.Bucket, Prefix = location.Key(prefix), MaxKeys = keysAPage, ContinuationToken = page }, token));
            foreach (var one in response.S3Objects ?? []) entries.Add(new S3Entry(location.Name(one.Key), Unquoted(one.ETag), one.Size ?? 0));
            next = response.IsTruncated == true ? response.NextContinuationToken : null;
        } while (next is not null);
        return entries;
    }

    /// <returns>Null: there is no such object.</returns>
    public S3Head? Head(string name)
    {
        var response = CallUnless(IsAbsent, "look at", name, token => client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = location.Bucket, Key = location.Key(name) }, token));
        return response is null ? null
            : new S3Head(Unquoted(response.ETag), response.ContentLength, response.Metadata.Keys.ToDictionary(key => key[MetadataPrefix.Length..], key => response.Metadata[key], StringComparer.Ordinal));
    }

    /// <param name="eTag">The version that is wanted; null: the current one.</param>
    /// <returns>Null: there is no such object, or not in that version.</returns>
    public S3Content? Get(string name, string? eTag) => CallUnless(failure => IsAbsent(failure) || IsConflict(failure), "read", name, async token =>
    {
        using var response = await client.GetObjectAsync(new GetObjectRequest { BucketName = location.Bucket, Key = location.Key(name), EtagToMatch = eTag is null ? null : Quoted(eTag) }, token).ConfigureAwait(false);
        using var content = new MemoryStream();
        try
        {
            await response.ResponseStream.CopyToAsync(content, token).ConfigureAwait(false);
        }
        catch (AmazonClientException damage) // the bytes do not fit the ETag
        {
            throw new IOException(damage.Message, damage);
        }
        if (content.Length != response.ContentLength) throw new IOException($"{content.Length} of {response.ContentLength} bytes arrived");
        // Where the server does not know the condition, the answer still says what it is.
        return eTag is not null && Unquoted(response.ETag) != eTag ? null : new S3Content(content.ToArray(), Unquoted(response.ETag));
    });

    /// <summary>Creates an object, or replaces one version of it. A repetition that finds the object changed asks whether the change was its own: the first attempt may have arrived after all.</summary>
    /// <param name="replaces">The version that is replaced; null: there must be no object.</param>
    /// <returns>The ETag; null: there is another object or version, and it was left alone.</returns>
    public string? TryPut(string name, byte[] content, string? replaces, IReadOnlyDictionary<string, string> metadata)
    {
        string writer = Guid.NewGuid().ToString("N");
        var response = CallUnless(failure => IsConflict(failure) || (replaces is not null && IsAbsent(failure)), "write", name, token =>
        {
            var request = new PutObjectRequest { BucketName = location.Bucket, Key = location.Key(name), InputStream = new MemoryStream(content, writable: false), UseChunkEncoding = false };
            if (replaces is null) request.IfNoneMatch = "*";
            else request.IfMatch = Quoted(replaces);
            request.Metadata[WriterField] = writer;
            foreach (var (field, value) in metadata) request.Metadata[MetadataPrefix + field] = value;
            return client.PutObjectAsync(request, token);
        });
        if (response is not null) return Unquoted(response.ETag);
        return Head(name) is { } found && found.Metadata.GetValueOrDefault("writer") == writer ? found.ETag : null;
    }

    /// <summary>Deletes one version of an object; another is left alone, where the store knows the condition.</summary>
    public void Delete(string name, string eTag) => CallUnless(failure => IsConflict(failure) || IsAbsent(failure), "delete", name,
        token => client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = location.Bucket, Key = location.Key(name), IfMatch = Quoted(eTag) }, token));

    public void Dispose() => client.Dispose();

    private T Call<T>(string what, string name, Func<CancellationToken, Task<T>> call) where T : class => CallUnless(_ => false, what, name, call)!;

    /// <returns>Null: the call failed with what the caller expects.</returns>
    private T? CallUnless<T>(Func<AmazonS3Exception, bool> expected, string what, string name, Func<CancellationToken, Task<T>> call) where T : class?
    {
        try
        {
            return resilience.Run(call);
        }
        catch (AmazonS3Exception failure) when (expected(failure))
        {
            return null;
        }
        catch (Exception failure) when (failure is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException or OperationCanceledException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new IOException($"Cannot {what} {FullName(name)} (Storage:Uri is {location}): {Reason(failure)}", failure);
        }
    }

    private string Reason(Exception failure) => failure switch
    {
        AmazonS3Exception { ErrorCode: "NoSuchBucket" } => $"there is no bucket {location.Bucket}; expected one that exists.",
        AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } denied =>
            $"access was denied ({denied.ErrorCode}); expected credentials in the AWS SDK's usual places (environment, profile, the machine's role) that may list, read, write and delete there.",
        AmazonServiceException { StatusCode: not 0 } answer => $"the server answered {(int)answer.StatusCode} {answer.ErrorCode}: {answer.Message}",
        AmazonClientException missing when missing.Message.Contains("AWS credentials", StringComparison.Ordinal) =>
            "no credentials were found; expected them in the AWS SDK's usual places (environment, profile, the machine's role).",
        Polly.Timeout.TimeoutRejectedException => $"no answer within {resilience.Timeout.TotalSeconds:0.###} s in any attempt.",
        _ => failure.Message,
    };

    private static bool IsAbsent(AmazonS3Exception failure) => failure.StatusCode == HttpStatusCode.NotFound && failure.ErrorCode != "NoSuchBucket";
    private static bool IsConflict(AmazonS3Exception failure) => failure.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict;
    private static string Quoted(string eTag) => $"\"{eTag}\"";
    private static string Unquoted(string eTag) => eTag.Trim('"');
}

internal sealed record S3Entry(string Name, string ETag, long Size);

internal sealed record S3Head(string ETag, long Size, IReadOnlyDictionary<string, string> Metadata);

internal sealed record S3Content(byte[] Bytes, string ETag);
