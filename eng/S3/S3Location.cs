namespace BeeFormer.Streaming;

/// <summary><c>s3://bucket/prefix</c>: the prefix may be empty or have several parts.</summary>
internal sealed record S3Location(string Bucket, string Prefix)
{
    public const string Scheme = "s3://";
    private const string FileScheme = "file://";

    /// <returns>Null: not of this form.</returns>
    public static S3Location? TryParse(string? uri)
    {
        if (uri is null || !uri.StartsWith(Scheme, StringComparison.Ordinal)) return null;
        string[] parts = uri[Scheme.Length..].Split('/', 2);
        return parts[0].Length == 0 ? null : new S3Location(parts[0], parts.Length == 1 ? "" : parts[1].Trim('/'));
    }

    /// <summary>The folder that a setting names which is no place on S3.</summary>
    public static string Folder(string uri) => uri.StartsWith(FileScheme, StringComparison.Ordinal) ? new Uri(uri).LocalPath : uri;

    /// <returns>What is wrong with a setting that names a folder or a place on S3; null: nothing.</returns>
    /// <param name="key">Its name.</param>
    public static string? Problem(string? uri, string key) =>
        uri is null ? null
        : uri.Contains("://", StringComparison.Ordinal) && !uri.StartsWith(Scheme, StringComparison.Ordinal) && !uri.StartsWith(FileScheme, StringComparison.Ordinal)
            ? $"{key} is {uri}; expected a folder, file:///folder or s3://bucket/prefix"
        : uri.StartsWith(Scheme, StringComparison.Ordinal) && TryParse(uri) is null ? $"{key} is {uri}; expected s3://bucket/prefix with the name of a bucket"
        : null;

    public string Key(string name) => Prefix.Length == 0 ? name : $"{Prefix}/{name}";
    public string Name(string key) => Prefix.Length == 0 ? key : key[(Prefix.Length + 1)..];
    public override string ToString() => Prefix.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{Prefix}";
}
