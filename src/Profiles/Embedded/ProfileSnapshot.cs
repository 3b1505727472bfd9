using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>All profiles and the log positions they stand for, in one file: <c>magic · version · positions · users · SHA-256 of what precedes</c>.</summary>
internal static class ProfileSnapshot
{
    private const int Version = 1;
    private const int MaxPartitions = 65_536;
    private static ReadOnlySpan<byte> Magic => "BEEPROFS"u8;

    public static void Write(string path, IReadOnlyDictionary<int, long> positions, IReadOnlyCollection<KeyValuePair<UserId, ProfileInteraction[]>> users) =>
        DurableFiles.Rewrite(path, file =>
        {
            using var hash = SHA256.Create();
            using (var hashed = new CryptoStream(file, hash, CryptoStreamMode.Write, leaveOpen: true))
            using (var writer = new BinaryWriter(hashed, Encoding.UTF8))
                WriteBody(writer, positions, users);
            file.Write(hash.Hash!);
        });

    /// <summary>Empty when there is no file.</summary>
    public static (Dictionary<int, long> Positions, Dictionary<UserId, UserProfile> Users) Read(string path, int interactionsPerUser)
    {
        if (!File.Exists(path)) return ([], []);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        if (file.Length < Magic.Length + SHA256.HashSizeInBytes) throw Damaged(path, "it is too short");
        long body = file.Length - SHA256.HashSizeInBytes;
        VerifyChecksum(path, file, body);
        file.Position = 0;
        using var reader = new BinaryReader(file, Encoding.UTF8);
        try
        {
            if (!reader.ReadBytes(Magic.Length).AsSpan().SequenceEqual(Magic)) throw Damaged(path, "it is no profile snapshot");
            int version = reader.ReadInt32();
            if (version != Version) throw new InvalidDataException($"{path}: version {version} of the profile snapshot; this build reads version {Version}");
            var positions = new Dictionary<int, long>();
            int partitions = reader.ReadInt32();
            if (partitions is < 0 or > MaxPartitions) throw Damaged(path, $"it names {partitions} partitions");
            for (int n = 0; n < partitions; n++) positions[reader.ReadInt32()] = reader.ReadInt64();
            return (positions, ReadUsers(path, reader, body, interactionsPerUser));
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"{path}: the profile snapshot is damaged: {e.Message}", e);
        }
    }

    private static void WriteBody(BinaryWriter writer, IReadOnlyDictionary<int, long> positions, IReadOnlyCollection<KeyValuePair<UserId, ProfileInteraction[]>> users)
    {
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(positions.Count);
        foreach (var (partition, next) in positions)
        {
            writer.Write(partition);
            writer.Write(next);
        }
        writer.Write(users.Count);
        foreach (var (user, interactions) in users)
        {
            writer.Write(user.Value);
            writer.Write(interactions.Length);
            foreach (var interaction in interactions)
            {
                writer.Write(interaction.EventId);
                writer.Write(interaction.Item.Value);
                writer.Write(interaction.Type);
                writer.Write(interaction.Value ?? double.NaN); // events carry finite values only
                writer.Write(interaction.TimestampMs);
            }
        }
    }

    private static Dictionary<UserId, UserProfile> ReadUsers(string path, BinaryReader reader, long body, int interactionsPerUser)
    {
        var users = new Dictionary<UserId, UserProfile>();
        int count = reader.ReadInt32();
        if (count < 0 || count > body) throw Damaged(path, $"it names {count} users");
        for (int u = 0; u < count; u++)
        {
            var user = new UserId(reader.ReadString());
            var profile = new UserProfile();
            int interactions = reader.ReadInt32();
            if (interactions < 0 || interactions > body) throw Damaged(path, $"user {user} has {interactions} interactions");
            for (int n = 0; n < interactions; n++)
            {
                string eventId = reader.ReadString(), item = reader.ReadString(), type = reader.ReadString();
                double value = reader.ReadDouble();
                profile.Add(new ProfileInteraction(eventId, new ItemId(item), type, double.IsNaN(value) ? null : value, reader.ReadInt64()), interactionsPerUser);
            }
            users[user] = profile;
        }
        if (reader.BaseStream.Position != body) throw Damaged(path, "bytes are left over");
        return users;
    }

    private static void VerifyChecksum(string path, FileStream file, long body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        for (long left = body; left > 0;)
        {
            int read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0) throw Damaged(path, "it ends early");
            hash.AppendData(buffer, 0, read);
            left -= read;
        }
        var expected = new byte[SHA256.HashSizeInBytes];
        file.ReadExactly(expected);
        if (!expected.AsSpan().SequenceEqual(hash.GetHashAndReset())) throw Damaged(path, "its checksum does not fit");
    }

    private static InvalidDataException Damaged(string path, string why) =>
        new($"{path}: the profile snapshot is damaged: {why}; delete it and the profiles are built again from the log");
}
