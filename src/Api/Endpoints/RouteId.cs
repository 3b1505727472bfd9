using System.Text;
using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// An id from the path as the client meant it. The server leaves %2F encoded in the path and decodes the rest, so <c>a%2Fb</c> and <c>a%252Fb</c> look the same in a
/// route value; the request line tells them apart.
/// </summary>
internal static class RouteId
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="id">The route value; becomes the id.</param>
    /// <param name="segmentsAfter">Path segments that follow the id.</param>
    /// <returns>Null when it is an id.</returns>
    public static ProblemHttpResult? Read(HttpContext context, ref string id, int segmentsAfter = 0)
    {
        if (RawPath(context) is { } path)
        {
            if (Decoded(path.TrimEnd('/').Split('/')[^(1 + segmentsAfter)]) is not { } text) return Refused.Field("id", "id in the path is no UTF-8; expected an id that is percent-encoded as UTF-8.");
            id = text;
        }
        return Id.Problem("id", id) is { } problem ? Refused.Field("id", problem + ".") : null;
    }

    /// <summary>Ids may be <c>.</c> and <c>..</c>: the server takes these out of a path even where they are encoded, so routing gets such a path as it was sent.</summary>
    public static Task KeepDots(HttpContext context, RequestDelegate next)
    {
        if (RawPath(context) is ['/', ..] path && path.Split('/').Any(segment => Decoded(segment) is "." or "..")) context.Request.Path = path;
        return next(context);
    }

    /// <returns>Null: there is no request line, as in a test host.</returns>
    private static string? RawPath(HttpContext context)
    {
        string? target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target)) return null;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }

    /// <returns>Null: no UTF-8.</returns>
    private static string? Decoded(string segment)
    {
        byte[] bytes = new byte[segment.Length];
        int length = 0;
        for (int at = 0; at < segment.Length; length++)
            if (segment[at] == '%' && at + 2 < segment.Length && char.IsAsciiHexDigit(segment[at + 1]) && char.IsAsciiHexDigit(segment[at + 2]))
            {
                bytes[length] = Convert.ToByte(segment.Substring(at + 1, 2), 16);
                at += 3;
            }
            else if (segment[at] < 128) bytes[length] = (byte)segment[at++];
            else return null; // the request line is ASCII
        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
