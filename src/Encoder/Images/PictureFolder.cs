using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The pictures of items that lie below one folder: an item's <c>image_url</c> is a path relative to it, or a <c>file://</c> address inside it.
/// Whatever leads elsewhere is refused: another scheme, <c>..</c>, an absolute path outside, a symbolic link below the folder.
/// </summary>
/// <param name="limits">Longer files are refused before they are read; null: the defaults of <see cref="ImageLimits"/>.</param>
/// <param name="logger">Told of pictures that cannot be used, each address once.</param>
public sealed class PictureFolder(string folder, ImageLimits? limits = null, ILogger? logger = null)
{
    private readonly string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
    private readonly ImageLimits limits = limits ?? new ImageLimits();
    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Addresses kept to be told once; beyond them, nothing more is told.</summary>
    private const int MostRefused = 10_000;

    /// <summary>Addresses so far whose picture cannot be used, at most 10,000.</summary>
    public int RefusedCount
    {
        get
        {
            lock (gate) return refused.Count;
        }
    }

    /// <summary>As <see cref="Read"/>, but a picture that cannot be had is <see cref="Refuse">refused</see>.</summary>
    /// <returns>Null: there is none, or none that can be had.</returns>
    public byte[]? TryRead(string? imageUrl)
    {
        if (string.IsNullOrEmpty(imageUrl)) return null;
        try
        {
            return Read(imageUrl);
        }
        catch (InvalidDataException problem)
        {
            Refuse(imageUrl, problem.Message);
            return null;
        }
    }

    /// <summary>The pixel values of a picture for an encoder (<see cref="ImageEncoder.Preprocess"/>).</summary>
    /// <returns>Null: there is none, or none that can be used.</returns>
    public float[]? TryPixels(string? imageUrl, ImageEncoder encoder)
    {
        if (TryRead(imageUrl) is not { } file) return null;
        try
        {
            return encoder.Preprocess(file);
        }
        catch (InvalidDataException problem)
        {
            Refuse(imageUrl!, problem.Message);
            return null;
        }
    }

    /// <summary>Says why a picture cannot be used: its item's embedding is that of the text alone.</summary>
    internal void Refuse(string imageUrl, string why)
    {
        int count;
        lock (gate)
        {
            if (refused.Count == MostRefused || !refused.Add(imageUrl)) return;
            count = refused.Count;
        }
        logger?.LogWarning("The picture {ImageUrl} cannot be used, its item is embedded by its text alone: {Why} ({Count} such pictures so far)", imageUrl, why, count);
    }

    /// <summary>The bytes of the file, not decoded.</summary>
    /// <param name="imageUrl">As the item's event has it.</param>
    /// <exception cref="InvalidDataException">Why this picture cannot be had.</exception>
    public byte[] Read(string imageUrl)
    {
        string path = PathOf(imageUrl);
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > limits.MaxFileBytes) throw Refused(imageUrl, $"the file has {stream.Length} bytes; expected at most {limits.MaxFileBytes}");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(imageUrl, "the file is missing or cannot be read", e);
        }
    }

    private string PathOf(string imageUrl)
    {
        string given = imageUrl;
        if (imageUrl.Contains("://", StringComparison.Ordinal))
        {
            if (!Uri.TryCreate(imageUrl, UriKind.Absolute, out Uri? address) || !address.IsFile || address.Host.Length > 0) throw Refused(imageUrl, "expected file:// without a host, or a relative path");
            given = address.LocalPath;
        }
        else if (Path.IsPathRooted(imageUrl))
        {
            throw Refused(imageUrl, "expected a relative path or file://");
        }
        if (given.Length == 0 || given.Contains('\0', StringComparison.Ordinal)) throw Refused(imageUrl, "expected the path of a file");
        string path = Path.GetFullPath(given, root);
        if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw Refused(imageUrl, "it leads out of the folder of pictures");
        for (string? part = path; part is not null && part.Length > root.Length; part = Path.GetDirectoryName(part))
            if (new FileInfo(part).LinkTarget is not null) throw Refused(imageUrl, "symbolic links are not followed");
        return path;
    }

    private static InvalidDataException Refused(string imageUrl, string why, Exception? inner = null) => new($"image_url '{imageUrl}': {why}.", inner);
}
