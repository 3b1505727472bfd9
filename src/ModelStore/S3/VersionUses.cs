namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>
/// Who uses a version, on whatever machine: an object <c>uses/&lt;place&gt;/&lt;guid&gt;</c>, written anew every minute. One that was not written for <see cref="ObjectAges.Ended"/> is of a process that has ended.
/// </summary>
internal sealed class VersionUses(S3Objects objects, TimeProvider time, TimeSpan ended)
{
    public static readonly TimeSpan Sign = TimeSpan.FromMinutes(1);
    private static readonly byte[] Content = "in use\n"u8.ToArray();

    public IDisposable Begin(string place) => new Use(objects, $"uses/{place}/{Guid.NewGuid():N}", time);

    /// <summary>Places that somebody uses; what dead processes left is removed.</summary>
    public HashSet<string> InUse()
    {
        List<S3Entry> uses = objects.List("uses/");
        if (uses.Count == 0) return [];
        DateTimeOffset now = ServerNow(objects);
        foreach (S3Entry dead in uses.Where(use => now - use.Modified > ended)) objects.Delete(dead.Name);
        return [.. uses.Where(use => now - use.Modified <= ended).Select(use => use.Name.Split('/')[1])];
    }

    /// <summary>By the clock that says when objects were written.</summary>
    public static DateTimeOffset ServerNow(S3Objects objects)
    {
        const string clock = "clock";
        objects.Put(clock, Content);
        return objects.List(clock).Single(entry => entry.Name == clock).Modified;
    }

    private sealed class Use : IDisposable
    {
        private readonly S3Objects objects;
        private readonly string name;
        private readonly ITimer signs;
        private readonly Lock gate = new();
        private bool disposed;

        public Use(S3Objects objects, string name, TimeProvider time)
        {
            (this.objects, this.name) = (objects, name);
            objects.Put(name, Content);
            signs = time.CreateTimer(_ => Show(), null, Sign, Sign);
        }

        public void Dispose()
        {
            signs.Dispose();
            lock (gate)
            {
                if (disposed) return;
                disposed = true;
            }
            Try(() => objects.Delete(name)); // or it ends by itself
        }

        private void Show()
        {
            lock (gate)
                if (!disposed) Try(() => objects.Put(name, Content)); // or the next time
        }

        private static void Try(Action call)
        {
            try
            {
                call();
            }
            catch (IOException)
            {
            }
        }
    }
}
