using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api;

/// <summary>Compressed request bodies: gzip and br. The endpoint's size limit holds for the body as sent and as decompressed; what is no such data is the client's fault.</summary>
internal static class Decompression
{
    public static void Add(IServiceCollection services) => services.AddRequestDecompression(options =>
    {
        options.DecompressionProviders.Clear();
        options.DecompressionProviders["gzip"] = new Provider("gzip", body => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true));
        options.DecompressionProviders["br"] = new Provider("br", body => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true));
    });

    public static void Use(WebApplication app)
    {
        app.UseRequestDecompression();
        app.Use((context, next) => context.Request.Headers.ContentEncoding is [] or ["identity"] ? next(context)
            : throw new BadHttpRequestException($"Content-Encoding {context.Request.Headers.ContentEncoding} is not understood; expected gzip, br or none.", StatusCodes.Status415UnsupportedMediaType));
    }

    private sealed class Provider(string name, Func<Stream, Stream> open) : IDecompressionProvider
    {
        public Stream GetDecompressionStream(Stream stream) => new Body(name, open(stream));
    }

    /// <summary>Reads only; damaged data is a bad request.</summary>
    private sealed class Body(string name, Stream inner) : Stream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception damaged) when (damaged is InvalidDataException or InvalidOperationException)
            {
                throw new BadHttpRequestException($"The body is no valid {name}, as its Content-Encoding says.", damaged);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
