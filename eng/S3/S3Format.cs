using System.Text;

namespace BeeFormer.Streaming;

/// <summary>The record that says which layout a place on S3 has.</summary>
internal static class S3Format
{
    private static readonly Dictionary<string, string> NoMetadata = [];

    /// <summary>Claims an empty place, or checks that it was made by this format; and that conditions of writes are heeded there.</summary>
    /// <param name="record">Its name.</param>
    /// <param name="contents">Beginnings of names that show that a store was here.</param>
    /// <exception cref="InvalidDataException">The place has another format, or ignores conditions.</exception>
    public static void Claim(S3Objects objects, string record, string format, params IReadOnlyList<string> contents)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(format + "\n");
        bool TryWrite(string? version) => objects.TryPut(record, bytes, version, NoMetadata) is not null;
        if (objects.List(record).Count == 0)
        {
            if (contents.FirstOrDefault(content => objects.List($"{content}/").Count > 0) is { } content)
                throw new InvalidDataException($"{objects.FullName(content)} holds objects but there is no {record}; expected a place that this store made, or an empty one.");
            TryWrite(version: null);
        }
        string claimed = objects.Get(record, eTag: null) is { } found ? Encoding.UTF8.GetString(found.Bytes).Trim() : "";
        if (claimed != format) throw new InvalidDataException($"{objects.FullName(record)} says \"{claimed}\", expected \"{format}\": the place was made by another version and is left untouched.");
        // Both must be refused. Where they are not, the same is written once more.
        if (TryWrite(version: null) || TryWrite(version: new string('0', 32)))
            throw new InvalidDataException($"{objects.FullName("")} does not heed the conditions of writes (If-None-Match, If-Match); expected a store that does, since two writers would overwrite one another.");
    }
}
