using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// What the configuration holds of an API key: <c>pbkdf2-sha256:ITERATIONS:SALT:HASH</c>. The key is <c>bf.SALT.SECRET</c>, 32 random bytes as the secret; since it names its salt, a request costs at
/// most one derivation however many keys there are, and a key with an unknown salt costs none.
/// </summary>
public sealed record ApiKeyHash(int Iterations, string Salt, string Hash)
{
    private const string Algorithm = "pbkdf2-sha256", Prefix = "bf";
    private const int DefaultIterations = 100_000, MinIterations = 10_000, MaxIterations = 10_000_000, SaltBytes = 16, SecretBytes = 32;

    /// <summary>Longest text that can be a key.</summary>
    public const int MaxKeyLength = 128;

    /// <summary>A new key, to be shown once, and what may be kept of it.</summary>
    public static (string Key, ApiKeyHash Hash) New()
    {
        string salt = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SaltBytes));
        string key = $"{Prefix}.{salt}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}";
        return (key, new ApiKeyHash(DefaultIterations, salt, Base64Url.EncodeToString(Derive(key, salt, DefaultIterations))));
    }

    /// <returns>Null: it is none.</returns>
    public static ApiKeyHash? Parse(string? text) =>
        text?.Split(':') is [Algorithm, var iterations, var salt, var hash]
        && int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= MinIterations and <= MaxIterations
        && IsBytes(salt, SaltBytes) && IsBytes(hash, SHA256.HashSizeInBytes) ? new ApiKeyHash(number, salt, hash) : null;

    /// <returns>The salt that the key names; null: it is no key.</returns>
    public static string? SaltOf(string key) => key.Length <= MaxKeyLength && key.Split('.') is [Prefix, var salt, _] ? salt : null;

    public bool Fits(string key) => CryptographicOperations.FixedTimeEquals(Derive(key, Salt, Iterations), Base64Url.DecodeFromChars(Hash));

    public override string ToString() => $"{Algorithm}:{Iterations}:{Salt}:{Hash}";

    private static byte[] Derive(string key, string salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(key), Base64Url.DecodeFromChars(salt), iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);

    private static bool IsBytes(string text, int length) => Base64Url.IsValid(text, out int decoded) && decoded == length;
}
