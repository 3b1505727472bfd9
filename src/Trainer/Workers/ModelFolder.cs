using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;
using Grpc.Core;
using WireFile = BeeFormer.Streaming.Trainer.Wire.File;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A folder of files on its way to a worker.</summary>
internal static class ModelFolder
{
    private const int MostFiles = 1000;

    public static async Task SendAsync(string folder, Func<ModelPart, Task> send, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[TensorBytes.PartBytes];
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using FileStream file = System.IO.File.OpenRead(path);
            await send(new ModelPart { File = new WireFile { Path = Path.GetRelativePath(folder, path).Replace('\\', '/'), Bytes = file.Length } }).ConfigureAwait(false);
            int read;
            while ((read = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)) > 0)
                await send(new ModelPart { Content = ByteString.CopyFrom(buffer, 0, read) }).ConfigureAwait(false);
        }
    }

    /// <param name="folder">Is made; what it holds after a failure is the caller's to remove.</param>
    /// <param name="maxBytes">Of all files together.</param>
    /// <exception cref="InvalidDataException">Another order, a path that leads elsewhere, or too much.</exception>
    public static async Task ReceiveAsync(IAsyncStreamReader<ModelPart> parts, string folder, long maxBytes, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        int files = 0;
        long total = 0, missing = 0;
        FileStream? open = null;
        try
        {
            while (await parts.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                ModelPart part = parts.Current;
                if (part.WhatCase == ModelPart.WhatOneofCase.Content)
                {
                    if (open is null || part.Content.Length > missing) throw new InvalidDataException($"content of {part.Content.Length} bytes; expected {missing} at most.");
                    await open.WriteAsync(part.Content.Memory, cancellationToken).ConfigureAwait(false);
                    missing -= part.Content.Length;
                    continue;
                }
                if (part.WhatCase != ModelPart.WhatOneofCase.File || missing > 0) throw new InvalidDataException(missing > 0 ? $"{missing} bytes of a file are missing." : "what is empty or an opening; expected a file or content.");
                if (++files > MostFiles) throw new InvalidDataException($"More than {MostFiles} files.");
                if (part.File.Bytes < 0 || part.File.Bytes > maxBytes - total) throw new InvalidDataException($"bytes of {part.File.Path} is {part.File.Bytes}; this worker takes {maxBytes} for all files together (Workers:MaxModelMb).");
                total += missing = part.File.Bytes;
                if (open is not null) await open.DisposeAsync().ConfigureAwait(false);
                string path = Place(folder, part.File.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                open = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            }
            if (missing > 0) throw new InvalidDataException($"{missing} bytes of a file are missing.");
        }
        finally
        {
            if (open is not null) await open.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string Place(string folder, string path)
    {
        bool plain = path.Length is > 0 and <= 200 && path.Split('/').All(name => name is not ("" or "." or "..") && !name.Any(c => char.IsControl(c) || c is '\\' or ':'));
        return plain ? Path.Combine(folder, path) : throw new InvalidDataException($"path is '{path}'; expected names with '/' between them, that stay within the folder.");
    }
}
