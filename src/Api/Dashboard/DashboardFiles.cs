using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace BeeFormer.Streaming.Api;

/// <summary>The dashboard's files, which are in the assembly: the document at <c>/</c>, the rest under <c>/dashboard</c>. They are a client of the HTTP API like any other and hold no data.</summary>
internal static class DashboardFiles
{
    private const string Prefix = "dashboard/";

    /// <summary>Nothing from another host, no script in the document, and no text that becomes markup: titles of items come from anywhere.</summary>
    private const string Policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8", [".css"] = "text/css; charset=utf-8", [".js"] = "text/javascript; charset=utf-8", [".svg"] = "image/svg+xml",
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        Assembly assembly = typeof(DashboardFiles).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            byte[] bytes = Read(assembly, name);
            string type = Types[Path.GetExtension(name)];
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
            routes.MapMethods(name == $"{Prefix}index.html" ? "/" : $"/{name}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => Serve(context, bytes, type, tag)).AllowAnonymous().ExcludeFromDescription();
        }
    }

    private static FileContentHttpResult Serve(HttpContext context, byte[] bytes, string type, EntityTagHeaderValue tag)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache"; // asked for each time, sent when it has changed
        return TypedResults.Bytes(bytes, type, entityTag: tag);
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
