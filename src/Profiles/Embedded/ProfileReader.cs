using BeeFormer.Streaming.Contracts;
using Microsoft.Data.Sqlite;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>Reads what is on disk, beside the writer. For use by several threads, one at a time.</summary>
internal sealed class ProfileReader(SqliteConnection connection, string path) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SqliteCommand?[] _reads = new SqliteCommand?[ProfileTables.Count];

    /// <summary>The user's interactions; empty for an unknown user.</summary>
    public byte[] Read(UserId user)
    {
        var key = ProfileTables.Key(user);
        int table = ProfileTables.Of(key);
        lock (_gate)
        {
            try
            {
                var read = _reads[table] ??= Prepare(table);
                read.Parameters[0].Value = key;
                return read.ExecuteScalar() is byte[] row ? ProfileTables.Interactions(key, row, path) : [];
            }
            catch (SqliteException e)
            {
                throw ProfileTables.Failure(path, e);
            }
        }
    }

    private SqliteCommand Prepare(int table)
    {
        var read = connection.CreateCommand();
        read.CommandText = $"SELECT interactions FROM {ProfileTables.Name(table)} WHERE user = $user";
        read.Parameters.Add("$user", SqliteType.Blob);
        return read;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var read in _reads) read?.Dispose();
            connection.Dispose();
        }
    }
}
