using System.Text.Json;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary><c>aliases.json</c>: replaced as a whole with each change, so a crash leaves the old or the new.</summary>
internal sealed class AliasFile
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };
    private readonly string file;
    private volatile Dictionary<string, AliasTarget> aliases;

    public AliasFile(string file)
    {
        this.file = file;
        try
        {
            aliases = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, AliasTarget>>(File.ReadAllBytes(file), Json) ?? [] : [];
        }
        catch (JsonException damage)
        {
            throw new InvalidDataException($"{file} is damaged: {damage.Message} Expected {{\"alias\": {{\"collection\", \"generation\"}}}}.", damage);
        }
    }

    public AliasTarget? Resolve(string alias) => aliases.GetValueOrDefault(alias);

    public IReadOnlyList<string> Names => [.. aliases.Keys];

    public string? PointingTo(string collection) => aliases.FirstOrDefault(alias => alias.Value.Collection == collection).Key;

    /// <summary>Not for two threads at once.</summary>
    public long Point(string alias, string collection)
    {
        var current = Resolve(alias);
        if (current?.Collection == collection) return current.Generation;
        var target = new AliasTarget(collection, (current?.Generation ?? 0) + 1);
        Write(new Dictionary<string, AliasTarget>(aliases) { [alias] = target });
        return target.Generation;
    }

    /// <summary>Not for two threads at once.</summary>
    public void Remove(string alias)
    {
        var next = new Dictionary<string, AliasTarget>(aliases);
        if (next.Remove(alias)) Write(next);
    }

    private void Write(Dictionary<string, AliasTarget> next)
    {
        DurableFiles.Rewrite(file, JsonSerializer.SerializeToUtf8Bytes(next, Json));
        aliases = next;
    }
}
