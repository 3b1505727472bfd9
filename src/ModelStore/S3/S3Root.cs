namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Reads and changes <c>root.json</c>. Who looks and finds it as it was before gets no bytes but "not modified".</summary>
/// <param name="claim">Done before the first look, until it succeeds.</param>
internal sealed class S3Root(S3Objects objects, Action claim)
{
    public const string Name = "root.json";
    private const int Attempts = 200;
    private const int ChangesKept = 64;
    private static readonly Dictionary<string, string> NoMetadata = [];
    private readonly Lock gate = new(), claiming = new();
    private bool claimed;
    private Known newest = new(Root.Empty, null);

    public Root Read() => Look().Root;

    /// <summary>Changes the root as nobody else does at the same time.</summary>
    /// <param name="change">Told the root as it is, gives what it becomes (the same: nothing changes) and a result; called again where another was faster.</param>
    /// <exception cref="IOException">It could not be written.</exception>
    public T Change<T>(Func<Root, (Root Next, T Result)> change)
    {
        string id = Guid.NewGuid().ToString("N")[..16];
        T result = default!;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            Known known = Look();
            if (known.Root.Changes.Contains(id)) return result; // it arrived; only its answer did not
            (Root next, result) = change(known.Root);
            if (ReferenceEquals(next, known.Root)) return result;
            next = next with { Revision = known.Root.Revision + 1, Changes = [.. known.Root.Changes.TakeLast(ChangesKept - 1), id] };
            string? eTag;
            try
            {
                eTag = objects.TryPut(Name, next.ToBytes(), known.ETag, NoMetadata);
            }
            catch (IOException)
            {
                if (Look().Root.Changes.Contains(id)) return result;
                throw;
            }
            if (eTag is null) continue;
            Keep(new Known(next, eTag));
            return result;
        }
        throw new IOException($"{objects.FullName(Name)} was changed by others in each of {Attempts} attempts to change it.");
    }

    private Known Look()
    {
        Claim();
        Known before;
        lock (gate) before = newest;
        (bool changed, S3Content? content) = objects.GetChanged(Name, before.ETag, ModelJson.MostBytes);
        if (!changed) return Keep(before);
        if (content is not null) return Keep(new Known(ModelJson.Parse(content.Bytes, objects.FullName(Name), Root.Read), content.ETag));
        return before.ETag is null ? Keep(before) : throw new InvalidDataException($"{objects.FullName(Name)} is gone; expected the record that was there before.");
    }

    private void Claim()
    {
        lock (claiming)
        {
            if (claimed) return;
            claim();
            claimed = true;
        }
    }

    /// <summary>An answer that was on its way while this process wrote is older than what it wrote.</summary>
    private Known Keep(Known seen)
    {
        lock (gate) return seen.Root.Revision >= newest.Root.Revision ? newest = seen : newest;
    }

    /// <param name="ETag">Null: there is no object.</param>
    private sealed record Known(Root Root, string? ETag);
}
