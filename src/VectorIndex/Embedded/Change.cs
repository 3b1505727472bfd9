using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>One entry of a collection's log: an item as of a revision, or (without <see cref="Item"/>) its deletion.</summary>
internal sealed record Change(ItemId Id, long Revision, IndexedItem? Item)
{
    private const byte UpsertKind = 1;
    private const byte DeleteKind = 2;

    public static Change Upsert(IndexedItem item, int dimension)
    {
        if (BeeFormer.Streaming.Contracts.Id.Problem("item_id", item.Id.Value) is { } problem) throw new ArgumentException(problem + ".");
        return new(item.Id, item.Revision, item with { Vector = UnitVector.Of($"The vector of item {item.Id}", item.Vector, dimension) });
    }

    public static Change Delete(ItemId id, long revision) => new(id, revision, null);

    public void WriteTo(BinaryWriter writer)
    {
        writer.Write(Item is null ? DeleteKind : UpsertKind);
        writer.Write(Id.Value);
        writer.Write(Revision);
        if (Item is null) return;
        writer.Write(Item.Available);
        writer.Write(Item.Title);
        byte[] attributes = JsonSerializer.SerializeToUtf8Bytes(Item.Attributes);
        writer.Write(attributes.Length);
        writer.Write(attributes);
        foreach (float number in Item.Vector) writer.Write(number);
    }

    public static Change ReadFrom(BinaryReader reader, int dimension)
    {
        byte kind = reader.ReadByte();
        var id = new ItemId(reader.ReadString());
        long revision = reader.ReadInt64();
        if (kind == DeleteKind) return Delete(id, revision);
        if (kind != UpsertKind) throw new FormatException($"unknown entry kind {kind}");
        bool available = reader.ReadBoolean();
        string title = reader.ReadString();
        int length = reader.ReadInt32();
        if (length < 0 || length > reader.BaseStream.Length - reader.BaseStream.Position) throw new FormatException($"attributes of {length} bytes do not fit");
        var attributes = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(reader.ReadBytes(length))!;
        var vector = new float[dimension];
        for (int d = 0; d < dimension; d++) vector[d] = reader.ReadSingle();
        return new(id, revision, new IndexedItem(id, revision, vector, title, available, attributes));
    }

    public static byte[] Encode(IEnumerable<Change> changes)
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        foreach (var change in changes) change.WriteTo(writer);
        writer.Flush();
        return buffer.ToArray();
    }

    public static List<Change> Decode(byte[] frame, int dimension)
    {
        using var reader = new BinaryReader(new MemoryStream(frame), Encoding.UTF8);
        var changes = new List<Change>();
        while (reader.BaseStream.Position < frame.Length) changes.Add(ReadFrom(reader, dimension));
        return changes;
    }
}
