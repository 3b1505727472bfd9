using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace BeeFormer.Streaming;

/// <summary>
/// The few calls that the stores make. Each has a time limit and is repeated by <see cref="S3Resilience"/>; what fails for good is an <see cref="IOException"/> that names bucket and key.
/// Names are relative to the location.
/// </summary>
/// <param name="setting">The key of the configuration that names the location.</param>
internal sealed class S3Objects(IAmazonS3 client, S3Location location, S3Resilience resilience, int keysAPage = 1000, string setting = "Storage:Uri") : IDisposable
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
            foreach (var one in response.S3Objects ?? []) entries.Add(new S3Entry(location.Name(one.Key), Unquoted(one.ETag), one.Size ?? 0, one.LastModified is { } at ? new DateTimeOffset(at.ToUniversalTime()) : default));
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
        S3Content content = await ReadAsync(name, request => request.EtagToMatch = eTag is null ? null : Quoted(eTag), long.MaxValue, token).ConfigureAwait(false);
        // Where the server does not know the condition, the answer still says what it is.
        return eTag is not null && content.ETag != eTag ? null : content;
    });

    /// <summary>Reads an object unless it is the one that is known already.</summary>
    /// <param name="known">Its ETag; null: none is known.</param>
    /// <param name="mostBytes">Most bytes that it may have.</param>
    /// <returns>Changed: false when it is still the known one. Content: null when it is, or there is no such object.</returns>
    /// <exception cref="InvalidDataException">It has more bytes.</exception>
    public (bool Changed, S3Content? Content) GetChanged(string name, string? known, long mostBytes)
    {
        bool same = false;
        S3Content? content = CallUnless(failure => IsAbsent(failure) || (same = failure.StatusCode == HttpStatusCode.NotModified), "read", name,
            token => ReadAsync(name, request => request.EtagToNotMatch = known is null ? null : Quoted(known), mostBytes, token));
        return (!same, content);
    }

    private async Task<S3Content> ReadAsync(string name, Action<GetObjectRequest> condition, long mostBytes, CancellationToken token)
    {
        var request = new GetObjectRequest { BucketName = location.Bucket, Key = location.Key(name) };
        condition(request);
        using var response = await client.GetObjectAsync(request, token).ConfigureAwait(false);
        if (response.ContentLength > mostBytes) throw new InvalidDataException($"{FullName(name)} has {response.ContentLength} bytes; expected at most {mostBytes}.");
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
        return new S3Content(content.ToArray(), Unquoted(response.ETag));
    }

    /// <summary>Writes an object to a file, which is replaced.</summary>
    /// <param name="bytes">How many it must have; an object of another size is not read.</param>
    /// <returns>SHA-256 of what arrived, lower-case hexadecimal. Null: there is no such object.</returns>
    /// <exception cref="InvalidDataException">It has another size.</exception>
    public string? Download(string name, string file, long bytes) => CallUnless(IsAbsent, "read", name, async token =>
    {
        using var response = await client.GetObjectAsync(new GetObjectRequest { BucketName = location.Bucket, Key = location.Key(name) }, token).ConfigureAwait(false);
        if (response.ContentLength != bytes) throw new InvalidDataException($"{FullName(name)} has {response.ContentLength} bytes; {bytes} were published.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var target = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var buffer = new byte[1 << 16];
        long left = bytes;
        try
        {
            for (int read; left > 0 && (read = await response.ResponseStream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), token).ConfigureAwait(false)) > 0; left -= read)
            {
                hash.AppendData(buffer, 0, read);
                await target.WriteAsync(buffer.AsMemory(0, read), token).ConfigureAwait(false);
            }
        }
        catch (AmazonClientException damage)
        {
            throw new IOException(damage.Message, damage);
        }
        return left == 0 ? Convert.ToHexStringLower(hash.GetHashAndReset()) : throw new IOException($"{bytes - left} of {bytes} bytes arrived");
    }, resilience.For(bytes));

    /// <summary>Writes an object, whatever was there.</summary>
    public void Put(string name, byte[] content) => Call("write", name,
        token => client.PutObjectAsync(new PutObjectRequest { BucketName = location.Bucket, Key = location.Key(name), InputStream = new MemoryStream(content, writable: false), UseChunkEncoding = false }, token));

    /// <inheritdoc cref="Put(string, byte[])"/>
    public void PutFile(string name, string file) => CallUnless(_ => false, "write", name,
        token => client.PutObjectAsync(new PutObjectRequest { BucketName = location.Bucket, Key = location.Key(name), InputStream = File.OpenRead(file), UseChunkEncoding = false }, token), resilience.For(new FileInfo(file).Length));

    /// <summary>Writes an object that is like another, without its bytes coming here.</summary>
    /// <returns>False: there is no such other one.</returns>
    public bool TryCopy(string from, string name, long bytes) => CallUnless(IsAbsent, "write", name, token => client.CopyObjectAsync(new CopyObjectRequest
    {
        SourceBucket = location.Bucket, SourceKey = location.Key(from), DestinationBucket = location.Bucket, DestinationKey = location.Key(name),
    }, token), resilience.For(bytes)) is not null;

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

    /// <summary>Deletes an object, if there is one.</summary>
    public void Delete(string name) => CallUnless(IsAbsent, "delete", name, token => client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = location.Bucket, Key = location.Key(name) }, token));

    public void Dispose() => client.Dispose();

    private T Call<T>(string what, string name, Func<CancellationToken, Task<T>> call) where T : class => CallUnless(_ => false, what, name, call)!;

    /// <returns>Null: the call failed with what the caller expects.</returns>
    private T? CallUnless<T>(Func<AmazonS3Exception, bool> expected, string what, string name, Func<CancellationToken, Task<T>> call, S3Resilience? other = null) where T : class?
    {
        try
        {
            return (other ?? resilience).Run(call);
        }
        catch (AmazonS3Exception failure) when (expected(failure))
        {
            return null;
        }
        catch (Exception failure) when (failure is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new IOException($"Cannot {what} {FullName(name)} ({setting} is {location}): {Reason(failure)}", failure);
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

/// <param name="Modified">By the server's clock.</param>
internal sealed record S3Entry(string Name, string ETag, long Size, DateTimeOffset Modified);

internal sealed record S3Head(string ETag, long Size, IReadOnlyDictionary<string, string> Metadata);

internal sealed record S3Content(byte[] Bytes, string ETag);
