using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Rows by columns, in memory that does not move: a <see cref="Segment"/> on disk, or the <see cref="RecentRows"/>. A row is an item or the note of a deletion; once written it never changes.
/// Which rows are the newest of their id is the <see cref="Snapshot"/>'s to say.
/// </summary>
internal abstract unsafe class Part(int dimension) : IDisposable
{
    public int Dimension => dimension;
    public int Stride { get; } = Codes.Stride(dimension);

    /// <summary>Snapshots that show it; counted by these.</summary>
    public int Uses { get; set; }

    /// <summary>[items, dimension], length 1.</summary>
    public float* Vectors { get; protected set; }

    /// <summary>[items rounded up to 4, stride] of <see cref="Embedded.Codes"/>.</summary>
    public byte* CodeRows { get; protected set; }

    /// <summary>[items rounded up to 64] each.</summary>
    public float* Scales { get; protected set; }
    public float* Errors { get; protected set; }
    public long* Revisions { get; protected set; }

    /// <summary>A bit for each row: it is an item, and not the note of a deletion.</summary>
    public ulong* Items { get; protected set; }

    /// <summary>A bit for each row: it is an item that is not hidden.</summary>
    public ulong* Available { get; protected set; }

    /// <summary>Where similar rows lie together; null: nowhere.</summary>
    public RowLists? Lists { get; protected set; }

    public abstract ReadOnlySpan<byte> Id(int row);

    /// <summary><see cref="ItemPayload"/>.</summary>
    public abstract ReadOnlySpan<byte> Payload(int row);

    /// <summary>The row of this id that is marked, among the first so many; −1: none.</summary>
    public abstract int Find(ReadOnlySpan<byte> id, uint hash, ReadOnlySpan<ulong> marked, int rows);

    /// <summary>The first so many rows, in order of their ids' bytes.</summary>
    public abstract ReadOnlySpan<int> InOrder(int rows);

    /// <summary>How many of the first so many rows have their attributes in columns.</summary>
    public abstract int ColumnRows(int rows);

    /// <summary>Sets the bits of those of the first so many rows whose attributes fit.</summary>
    /// <param name="columnRows">Of <see cref="ColumnRows"/>.</param>
    public abstract void Mark(ItemCondition condition, Span<ulong> marks, int columnRows);

    public static uint Hash(ReadOnlySpan<byte> id) => Crc32C.Of(id) * 0x9E3779B9u;

    public ItemId ItemId(int row) => new(Encoding.UTF8.GetString(Id(row)));

    public ReadOnlySpan<float> Vector(int row) => new(Vectors + (long)row * dimension, dimension);

    /// <exception cref="InvalidDataException">The bytes on disk are damaged.</exception>
    public IndexedItem Item(int row, bool withVector = true)
    {
        try
        {
            var attributes = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(ItemPayload.Attributes(Payload(row)))!;
            return new(ItemId(row), Revisions[row], withVector ? Vector(row).ToArray() : [], ItemPayload.Title(Payload(row)), (Available[row >> 6] >> (row & 63) & 1) != 0, attributes);
        }
        catch (JsonException damage)
        {
            throw new InvalidDataException($"Item {ItemId(row)} of the vector index is damaged: {damage.Message} Rebuild the collection.", damage);
        }
    }

    /// <summary>The same without its vector, for rows that are not in columns: every filter asks for them.</summary>
    public virtual IndexedItem Described(int row) => Item(row, withVector: false);

    public abstract void Dispose();
}
