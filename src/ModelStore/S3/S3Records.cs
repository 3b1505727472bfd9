using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Small JSON objects of one kind; each version of one is fetched once.</summary>
internal sealed class S3Records<T>(S3Objects objects, Func<JsonObject, T> read) where T : class
{
    private readonly ConcurrentDictionary<string, (string ETag, T? Value)> known = new(StringComparer.Ordinal);

    /// <summary>All whose names start so, in the order of their names; a damaged one hides no other. One call, and one more for each that has changed.</summary>
    public IReadOnlyList<(string Name, T Value)> All(string prefix)
    {
        List<S3Entry> listed = objects.List(prefix);
        var names = listed.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        foreach (string gone in known.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !names.Contains(name))) known.TryRemove(gone, out _);
        T?[] values = S3Calls.AtOnce(listed, entry => known.TryGetValue(entry.Name, out var found) && found.ETag == entry.ETag ? found.Value : Find(entry.Name)?.Value);
        return [.. listed.Zip(values).Where(one => one.Second is not null).Select(one => (one.First.Name, one.Second!))];
    }

    /// <returns>Value: null when it is damaged. Null: there is no such object.</returns>
    public (string ETag, T? Value)? Find(string name)
    {
        (string ETag, T? Value)? before = known.TryGetValue(name, out var found) ? found : null;
        (bool changed, S3Content? content) = objects.GetChanged(name, before?.ETag, ModelJson.MostBytes);
        if (!changed) return before;
        if (content is null)
        {
            known.TryRemove(name, out _);
            return null;
        }
        T? value;
        try
        {
            value = ModelJson.Parse(content.Bytes, objects.FullName(name), read);
        }
        catch (InvalidDataException)
        {
            value = null;
        }
        return known[name] = (content.ETag, value);
    }

    public void Keep(string name, string eTag, T value) => known[name] = (eTag, value);
}
