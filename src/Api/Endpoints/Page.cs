using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// One page of a ranking: the best of what the pages before did not show. A cursor names the pair and the request that it belongs to and carries a short mark of every item shown so far,
/// so no page repeats one, whatever moved in the ranking meanwhile. It is no secret: who forges one only hides items from themselves.
/// </summary>
internal sealed class Page
{
    /// <summary>Items that paging reaches.</summary>
    public const int MaxDepth = QueryInput.MaxK;

    private const byte Format = 1;
    private const int PairAt = 1, QueryAt = 9, ChecksumAt = 17, MarksAt = 21, MarkBytes = 5;

    private readonly byte[] _pair, _query;
    private readonly List<ulong> _shown;
    private readonly int _k;

    private Page(byte[] pair, byte[] query, List<ulong> shown, int k) => (_pair, _query, _shown, _k) = (pair, query, shown, Math.Min(k, MaxDepth - shown.Count));

    /// <summary>How long the ranking must be for <see cref="Of"/>.</summary>
    public int Wanted => _shown.Count + _k + 1;

    /// <summary>The places to fill, those of the pages before left out: <see cref="Wanted"/> of the rest.</summary>
    public Places Places => new(_k + 1, _shown.Count, _shown.Count == 0 ? null : ShownBefore());

    private Func<string, bool> ShownBefore()
    {
        var marks = _shown.ToHashSet();
        return id => marks.Contains(Mark(id));
    }

    /// <param name="query">All that decides the ranking; not k, not the cursor.</param>
    /// <returns>Null when <paramref name="page"/> can be answered.</returns>
    public static ProblemHttpResult? Open(string? cursor, int k, ServedBy by, object query, out Page page)
    {
        byte[] pair = Digest(Encoding.UTF8.GetBytes($"{by.Version}\n{by.Fingerprint}\n{by.Generation}")), asked = Digest(JsonSerializer.SerializeToUtf8Bytes(query));
        page = new Page(pair, asked, [], k);
        if (cursor is null) return null;

        if (Decoded(cursor) is not { } bytes) return Refused.Field("cursor", "cursor is none that this server gave; expected the cursor of the page before, unchanged.");
        if (!bytes.AsSpan(QueryAt, 8).SequenceEqual(asked)) return Refused.Field("cursor", "cursor belongs to another request; expected the request of the first page, in which only k may differ.");
        if (!bytes.AsSpan(PairAt, 8).SequenceEqual(pair)) return Refused.CursorExpired(by);
        var shown = new List<ulong>();
        for (int at = MarksAt; at < bytes.Length; at += MarkBytes) shown.Add(Mark(bytes.AsSpan(at, MarkBytes)));
        page = new Page(pair, asked, shown, k);
        return null;
    }

    /// <param name="ranking">The best <see cref="Wanted"/> items or what fills <see cref="Places"/>, or all that there are.</param>
    /// <returns>The page's items, and the cursor of the next one; null: there is none.</returns>
    public (IReadOnlyList<RankedItem> Items, string? Cursor) Of(IReadOnlyList<RankedItem> ranking)
    {
        var shown = _shown.ToHashSet();
        var rest = ranking.Where(item => !shown.Contains(Mark(item))).ToList();
        IReadOnlyList<RankedItem> items = [.. rest.Take(_k)];
        return (items, rest.Count > items.Count && shown.Count + items.Count < MaxDepth ? Cursor([.. _shown, .. items.Select(Mark)]) : null);
    }

    private string Cursor(List<ulong> shown)
    {
        byte[] bytes = new byte[MarksAt + MarkBytes * shown.Count];
        bytes[0] = Format;
        _pair.CopyTo(bytes, PairAt);
        _query.CopyTo(bytes, QueryAt);
        byte[] mark = new byte[8];
        for (int n = 0; n < shown.Count; n++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(mark, shown[n]);
            mark.AsSpan(0, MarkBytes).CopyTo(bytes.AsSpan(MarksAt + MarkBytes * n));
        }
        Checksum(bytes).CopyTo(bytes, ChecksumAt);
        return Base64Url.EncodeToString(bytes);
    }

    private static byte[]? Decoded(string cursor)
    {
        if (cursor.Length > Base64Url.GetEncodedLength(MarksAt + MarkBytes * MaxDepth) || !Base64Url.IsValid(cursor)) return null;
        byte[] bytes = Base64Url.DecodeFromChars(cursor);
        if (bytes.Length <= MarksAt || (bytes.Length - MarksAt) % MarkBytes != 0 || bytes[0] != Format) return null;
        byte[] given = bytes[ChecksumAt..MarksAt];
        bytes.AsSpan(ChecksumAt, 4).Clear();
        return Checksum(bytes).AsSpan().SequenceEqual(given) ? bytes : null;
    }

    private static byte[] Checksum(byte[] bytes) => SHA256.HashData(bytes)[..4];

    private static byte[] Digest(byte[] bytes) => SHA256.HashData(bytes)[..8];

    private static ulong Mark(RankedItem item) => Mark(item.ItemId);

    private static ulong Mark(string id) => Mark(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static ulong Mark(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes) | (ulong)bytes[4] << 32;
}
