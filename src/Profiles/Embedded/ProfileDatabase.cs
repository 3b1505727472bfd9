using System.Globalization;
using Microsoft.Data.Sqlite;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>
/// Profiles and the log positions that they stand for, in one SQLite file with a write-ahead log: both change in one transaction. A killed process loses nothing that was committed; a power cut may lose
/// the last transactions, but never a profile without its position. One writer.
/// </summary>
internal sealed class ProfileDatabase : IDisposable
{
    private const long Version = 1;
    private const int Upsert = 0, Delete = 1;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand?[,] _changes = new SqliteCommand?[ProfileTables.Count, 2];
    private bool _logHoldsForgotten;

    public ProfileDatabase(string folder)
    {
        DurableFiles.CreateFolder(folder);
        Path = System.IO.Path.Combine(System.IO.Path.GetFullPath(folder), "profiles.db");
        _connection = Open();
        try
        {
            Execute("PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384");
            CreateTables();
            _logHoldsForgotten = true; // perhaps: what a killed process left
            EmptyLog();
        }
        catch (SqliteException e)
        {
            _connection.Dispose();
            throw ProfileTables.Failure(Path, e);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public ProfileReader OpenReader() => new(Open(), Path);

    /// <summary>First offset of each partition that is not in the profiles.</summary>
    public Dictionary<int, long> Positions()
    {
        var positions = new Dictionary<int, long>();
        using var command = Command("SELECT partition, next FROM positions");
        using var rows = command.ExecuteReader();
        while (rows.Read()) positions[rows.GetInt32(0)] = rows.GetInt64(1);
        return positions;
    }

    /// <summary>Writes profiles and positions, all or nothing.</summary>
    /// <param name="from">The positions that the changes were made on.</param>
    /// <exception cref="IOException">Nothing was written: the disk refused, or another writer moved the positions.</exception>
    public void Write(List<ChangedProfile> changed, Dictionary<int, long> from, Dictionary<int, long> to)
    {
        try
        {
            using var transaction = _connection.BeginTransaction();
            var found = Positions();
            if (found.Count != from.Count || found.Any(position => from.GetValueOrDefault(position.Key, -1) != position.Value))
                throw new IOException($"{Path}: another process has written profiles since this one read them; expected to be the only one");
            var forgotten = new HashSet<int>();
            var rows = changed.ConvertAll(profile => (Key: ProfileTables.Key(profile.User), Profile: profile)).ConvertAll(row => (Table: ProfileTables.Of(row.Key), row.Key, row.Profile));
            rows.Sort((one, other) => one.Table.CompareTo(other.Table)); // table by table: a page is read and written once
            foreach (var (table, key, profile) in rows)
            {
                if (profile.Forgotten && Change(transaction, table, Delete, key, null)) forgotten.Add(table);
                if (!profile.Interactions.IsEmpty) Change(transaction, table, Upsert, key, ProfileTables.Row(key, profile.Interactions.Span));
            }
            foreach (int table in forgotten) Rewrite(ProfileTables.Name(table));
            foreach (var (partition, next) in to) Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT OR REPLACE INTO positions VALUES ({partition}, {next})"));
            transaction.Commit();
            _logHoldsForgotten |= forgotten.Count > 0;
        }
        catch (SqliteException e)
        {
            throw ProfileTables.Failure(Path, e);
        }
    }

    /// <summary>Takes what was overwritten out of the write-ahead log. A reader may hold that up for a moment; the next call does it then.</summary>
    public void RemoveForgotten()
    {
        if (!_logHoldsForgotten) return;
        try
        {
            EmptyLog();
        }
        catch (SqliteException e)
        {
            throw ProfileTables.Failure(Path, e);
        }
    }

    /// <summary>Makes what was written outlast a power cut, too.</summary>
    public void Flush()
    {
        _logHoldsForgotten = true;
        RemoveForgotten();
    }

    public void Dispose()
    {
        foreach (var change in _changes) change?.Dispose();
        _connection.Dispose();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            using var settings = connection.CreateCommand();
            settings.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY";
            settings.ExecuteNonQuery();
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw ProfileTables.Failure(Path, e);
        }
    }

    private void CreateTables()
    {
        using var transaction = _connection.BeginTransaction();
        using var asked = Command("PRAGMA user_version");
        long version = (long)asked.ExecuteScalar()!;
        if (version == Version) return;
        if (version != 0) throw new InvalidDataException($"{Path}: version {version} of the profiles; this build reads version {Version}");
        for (int table = 0; table < ProfileTables.Count; table++) Execute($"CREATE TABLE {ProfileTables.Name(table)} (user BLOB PRIMARY KEY, interactions BLOB NOT NULL)");
        Execute($"CREATE TABLE moving (user BLOB, interactions BLOB); CREATE TABLE positions (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL); PRAGMA user_version = {Version}");
        transaction.Commit();
    }

    // A deleted row is overwritten with zeros, but copies of it may lie in the gaps of pages whose rows moved on. Pages that become free are zeroed whole, so the table gives all of them back.
    private void Rewrite(string table) =>
        Execute($"INSERT INTO moving SELECT user, interactions FROM {table}; DELETE FROM {table}; INSERT INTO {table} SELECT user, interactions FROM moving; DELETE FROM moving");

    private bool Change(SqliteTransaction transaction, int table, int kind, byte[] key, byte[]? row)
    {
        var change = _changes[table, kind] ??= Prepare(ProfileTables.Name(table), kind);
        change.Transaction = transaction;
        change.Parameters[0].Value = key;
        if (row is not null) change.Parameters[1].Value = row;
        return change.ExecuteNonQuery() > 0;
    }

    private SqliteCommand Prepare(string table, int kind)
    {
        var change = Command(kind == Delete ? $"DELETE FROM {table} WHERE user = $user" : $"INSERT INTO {table} VALUES ($user, $row) ON CONFLICT (user) DO UPDATE SET interactions = excluded.interactions");
        change.Parameters.Add("$user", SqliteType.Blob);
        if (kind == Upsert) change.Parameters.Add("$row", SqliteType.Blob);
        return change;
    }

    private void EmptyLog()
    {
        using var command = Command("PRAGMA wal_checkpoint(TRUNCATE)");
        using var rows = command.ExecuteReader();
        rows.Read();
        _logHoldsForgotten = rows.GetInt64(0) != 0;
    }

    private SqliteCommand Command(string text)
    {
        var command = _connection.CreateCommand();
        command.CommandText = text;
        return command;
    }

    private void Execute(string text)
    {
        using var command = Command(text);
        command.ExecuteNonQuery();
    }
}
