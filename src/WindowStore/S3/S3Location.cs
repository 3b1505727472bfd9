namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary><c>s3://bucket/prefix</c>: the prefix may be empty or have several parts.</summary>
internal sealed record S3Location(string Bucket, string Prefix)
{
    /// <returns>Null: not of this form.</returns>
    public static S3Location? TryParse(string? uri)
    {
        if (uri is null || !uri.StartsWith(StorageOptions.S3Scheme, StringComparison.Ordinal)) return null;
        string[] parts = uri[StorageOptions.S3Scheme.Length..].Split('/', 2);
        return parts[0].Length == 0 ? null : new S3Location(parts[0], parts.Length == 1 ? "" : parts[1].Trim('/'));
    }

    public string Key(string name) => Prefix.Length == 0 ? name : $"{Prefix}/{name}";
    public string Name(string key) => Prefix.Length == 0 ? key : key[(Prefix.Length + 1)..];
    public override string ToString() => Prefix.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{Prefix}";
}
