using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Erasing;

/// <summary>
/// The erasures that the storage has noted, one record each under <c>erasures/</c>, and their reading in memory: loaded on first use, kept up to date by <see cref="Update"/> and <see cref="Reload"/>.
/// </summary>
internal sealed class Erasures(ISegmentStorage storage)
{
    private const string Folder = "erasures";
    private const string SaltRecord = Folder + "/salt";
    private const int Attempts = 20;
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Lock changing = new();
    private volatile Known? known;

    public IReadOnlyList<Erasure> All() => [.. Loaded().ByName.Values.Select(one => one.Erasure).OrderBy(erasure => erasure.User, StringComparer.Ordinal)];

    public bool IsErased(UserId user, long timestampMs)
    {
        var loaded = Loaded();
        // Events newer than every erasure, which live ones are, cost nothing more.
        if (timestampMs > loaded.NewestAtMs || loaded.Salt is null) return false;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(loaded.Salt, user, hash);
        return loaded.AtMs.TryGetValue(Key(hash), out long atMs) && timestampMs <= atMs;
    }

    /// <summary>The salt as SQL and records use it: in front of the id.</summary>
    public string Salt => Loaded().Salt ?? throw new InvalidOperationException("no erasure was noted yet");

    /// <summary>The user's name in the records; makes the store's salt where there is none yet. Within <see cref="ISegmentStorage.Maintain"/>.</summary>
    public string NameOf(UserId user)
    {
        if (Loaded().Salt is null)
        {
            storage.TryWrite(SaltRecord, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))), version: null); // if somebody was first, theirs counts
            Reload();
        }
        var hash = new byte[SHA256.HashSizeInBytes];
        Hash(Salt, user, hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>Changes one record durably; another process's change in between is built upon. Within <see cref="ISegmentStorage.Maintain"/>.</summary>
    public Erasure Update(string user, Func<Erasure, Erasure> change)
    {
        string name = $"{Folder}/{user}.json";
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var stored = storage.Read(name);
            var before = stored is null ? Erasure.Of(user) : Parse(name, stored);
            var after = change(before);
            if (ReferenceEquals(before, after)) return before;
            if (!storage.TryWrite(name, JsonSerializer.SerializeToUtf8Bytes(after, Json), stored?.Version)) continue;
            Reload(changed: name);
            return after;
        }
        throw new IOException($"The erasure record {name} was changed by others in each of {Attempts} attempts to write it.");
    }

    /// <summary>Takes in what other processes have noted.</summary>
    /// <param name="changed">A record that this process has changed: its version may not tell.</param>
    /// <returns>Whether there was anything new.</returns>
    public bool Reload(string? changed = null)
    {
        lock (changing)
        {
            var before = known ?? Known.Nothing;
            var records = storage.Records(Folder);
            bool IsKnown(string name, string version) => name == SaltRecord || (name != changed && before.ByName.TryGetValue(name, out var one) && one.Version == version);
            if (records.Count == before.Records && records.All(record => IsKnown(record.Name, record.Version)))
            {
                known = before;
                return false;
            }
            var byName = new Dictionary<string, (Erasure Erasure, string Version)>(StringComparer.Ordinal);
            foreach (var (name, version) in records.Where(record => record.Name != SaltRecord))
                if (IsKnown(name, version)) byName[name] = before.ByName[name];
                else if (storage.Read(name) is { } stored) byName[name] = (Parse(name, stored), stored.Version);
            string? salt = before.Salt ?? (storage.Read(SaltRecord) is { } written ? Encoding.ASCII.GetString(written.Content) : null);
            if (byName.Count > 0 && salt is null) throw new InvalidDataException($"{SaltRecord} is missing; expected it beside the erasures, which cannot be told apart without it.");
            known = Known.Of(salt, byName, records.Count);
            return true;
        }
    }

    private Known Loaded()
    {
        if (known is null) Reload();
        return known!;
    }

    private static Erasure Parse(string name, StoredRecord stored)
    {
        try
        {
            return JsonSerializer.Deserialize<Erasure>(stored.Content, Json) ?? throw new JsonException("it is null");
        }
        catch (JsonException damage)
        {
            throw new InvalidDataException($"The erasure record {name} is damaged: {damage.Message} Expected it as the store wrote it.", damage);
        }
    }

    private static void Hash(string salt, UserId user, Span<byte> hash)
    {
        int length = salt.Length + Encoding.UTF8.GetMaxByteCount(user.Value.Length);
        Span<byte> text = length <= 1024 ? stackalloc byte[length] : new byte[length];
        int written = Encoding.ASCII.GetBytes(salt, text);
        written += Encoding.UTF8.GetBytes(user.Value, text[written..]);
        SHA256.HashData(text[..written], hash);
    }

    /// <summary>Half of a SHA-256 tells users apart as well as all of it.</summary>
    private static UInt128 Key(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt128BigEndian(hash);

    /// <param name="NewestAtMs">Newest time of all erasures.</param>
    /// <param name="Records">Number of records seen, the salt's included.</param>
    private sealed record Known(string? Salt, IReadOnlyDictionary<string, (Erasure Erasure, string Version)> ByName, IReadOnlyDictionary<UInt128, long> AtMs, long NewestAtMs, int Records)
    {
        public static Known Nothing { get; } = Of(null, new Dictionary<string, (Erasure, string)>(), 0);

        public static Known Of(string? salt, IReadOnlyDictionary<string, (Erasure Erasure, string Version)> byName, int records) => new(salt, byName,
            byName.Values.ToDictionary(one => Key(Convert.FromHexString(one.Erasure.User)), one => one.Erasure.AtMs),
            byName.Values.Select(one => one.Erasure.AtMs).DefaultIfEmpty(long.MinValue).Max(), records);
    }
}
