using System.Text;

namespace BeeFormer.Streaming.Contracts;

/// <summary>An item's id as the shop gave it: opaque, 1 to 512 bytes of UTF-8.</summary>
public readonly record struct ItemId(string Value) : IComparable<ItemId>
{
    public int CompareTo(ItemId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>A user's id as the shop gave it: opaque, 1 to 512 bytes of UTF-8.</summary>
public readonly record struct UserId(string Value) : IComparable<UserId>
{
    public int CompareTo(UserId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Names one published pair (encoder, head): <c>000012-9f3ab07c</c>, a running number and the first 8 hexadecimal digits of its fingerprint. Sorts by age.</summary>
public readonly record struct ModelVersion(string Value) : IComparable<ModelVersion>
{
    public static ModelVersion Of(int number, Fingerprint fingerprint) => new($"{number:D6}-{fingerprint.Short}");
    public int CompareTo(ModelVersion other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>
/// SHA-256, in lower-case hexadecimal, of all that decides a vector: encoder weights, tokenizer, text template, maximum length, dimension, normalisation, head.
/// Vectors are comparable exactly when their fingerprints are equal.
/// </summary>
public readonly record struct Fingerprint(string Value)
{
    /// <summary>The first 8 digits: part of model versions and of collection names (<c>items-9f3ab07c</c>).</summary>
    public string Short => Value[..8];
    public override string ToString() => Value;
}

/// <summary>What an id must be. Ids are compared byte by byte and come back unchanged.</summary>
public static class Id
{
    /// <summary>Longest id in bytes of UTF-8.</summary>
    public const int MaxBytes = 512;

    /// <returns>Null when the id is valid, else what is wrong with it, naming <paramref name="field"/>.</returns>
    public static string? Problem(string field, string? value)
    {
        if (string.IsNullOrEmpty(value)) return $"{field} is missing or empty; expected 1 to {MaxBytes} bytes of text";
        int bytes = Encoding.UTF8.GetByteCount(value);
        return bytes > MaxBytes ? $"{field} has {bytes} bytes; at most {MaxBytes} are allowed" : null;
    }
}
