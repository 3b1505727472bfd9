using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using BeeFormer.Streaming.Contracts;
using Microsoft.Data.Sqlite;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>
/// How profiles lie in the database: the users are spread over tables by a hash of their id, and a row's bytes begin with a checksum over id and content.
/// A table is rewritten to forget one of its users, so the number of tables decides what that costs.
/// </summary>
internal static class ProfileTables
{
    public const int Count = 256;
    private const int ChecksumBytes = 4;

    public static string Name(int table) => $"users_{table.ToString("x2", CultureInfo.InvariantCulture)}";

    public static byte[] Key(UserId user) => Encoding.UTF8.GetBytes(user.Value);

    public static int Of(byte[] key) => (int)(Crc32C.Of(key) % Count);

    public static byte[] Row(byte[] key, ReadOnlySpan<byte> interactions)
    {
        var row = new byte[ChecksumBytes + interactions.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(row, Checksum(key, interactions));
        interactions.CopyTo(row.AsSpan(ChecksumBytes));
        return row;
    }

    /// <exception cref="InvalidDataException">The row is not what was written.</exception>
    public static byte[] Interactions(byte[] key, byte[] row, string path)
    {
        if (row.Length < ChecksumBytes || BinaryPrimitives.ReadUInt32LittleEndian(row) != Checksum(key, row.AsSpan(ChecksumBytes)))
            throw Damaged(path, $"the checksum of a row in {Name(Of(key))} does not fit");
        return row[ChecksumBytes..];
    }

    /// <summary>What SQLite reports, as the exceptions of this library.</summary>
    public static Exception Failure(string path, SqliteException e) =>
        e.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB ? Damaged(path, e.Message, e) : new IOException($"{path}: {e.Message}", e);

    private static InvalidDataException Damaged(string path, string why, Exception? inner = null) =>
        new($"{path}: the profiles are damaged: {why}; delete the folder and they are built again from the log", inner);

    private static uint Checksum(byte[] key, ReadOnlySpan<byte> interactions) => BitOperations.RotateLeft(Crc32C.Of(key), 1) ^ Crc32C.Of(interactions);
}
