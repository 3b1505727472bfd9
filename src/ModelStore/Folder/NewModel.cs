namespace BeeFormer.Streaming.ModelStore;

/// <summary>A model on its way into the store, in a folder under a name that nobody reads: removed if it never got there.</summary>
internal sealed class NewModel : IDisposable
{
    private const string Prefix = ".new-";

    /// <summary>While it is held, nobody takes the folder for a leftover.</summary>
    private readonly IDisposable inUse;
    private readonly string inUseFile;

    private NewModel(string models, string locks)
    {
        string name = $"{Prefix}{Guid.NewGuid():N}";
        Folder = Path.Combine(models, name);
        inUse = FileLock.Exclusive(inUseFile = Path.Combine(locks, name));
    }

    public string Folder { get; }
    public string Encoder => Path.Combine(Folder, "encoder");
    public ModelDraft? Draft { get; private set; }
    public ModelOrigin? Origin { get; private set; }
    public IReadOnlyList<ModelFile> Files { get; private set; } = [];

    /// <summary>Fills the folder. That takes its time, so no lock is held that others wait for.</summary>
    /// <param name="models">Folder of all versions.</param>
    /// <param name="locks">Folder of files that say what is in use.</param>
    /// <param name="fill">Given the folder of the encoder, says what the model is.</param>
    public static NewModel Fill(string models, string locks, Func<string, (ModelDraft, ModelOrigin?)> fill)
    {
        var filling = new NewModel(models, locks);
        try
        {
            DurableFiles.CreateFolder(filling.Encoder);
            (filling.Draft, filling.Origin) = fill(filling.Encoder);
            filling.Files = ModelFiles.Of(filling.Encoder);
            if (filling.Files.Count == 0) throw new InvalidOperationException("Nothing was written to the new model's folder.");
            LinkedFiles.FlushTree(filling.Folder);
            return filling;
        }
        catch
        {
            filling.Dispose();
            throw;
        }
    }

    /// <summary>Removes what processes left that died while they filled.</summary>
    public static void RemoveLeftovers(string models, string locks)
    {
        foreach (string leftover in Directory.GetDirectories(models, Prefix + "*"))
        {
            string file = Path.Combine(locks, Path.GetFileName(leftover));
            using IDisposable? unused = FileLock.TryExclusive(file);
            if (unused is null || !Directory.Exists(leftover)) continue;
            DurableFiles.DeleteFolder(leftover);
            DurableFiles.DeleteFile(file);
        }
    }

    public void Dispose()
    {
        try
        {
            if (Directory.Exists(Folder)) DurableFiles.DeleteFolder(Folder);
            DurableFiles.DeleteFile(inUseFile);
        }
        finally
        {
            inUse.Dispose();
        }
    }
}
