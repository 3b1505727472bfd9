using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>A way to something in one data folder. What cannot be done is an exception whose message is one sentence for the user.</summary>
internal interface IAccess : IDisposable
{
    /// <summary>Which way it is, in words.</summary>
    string Name { get; }
}

internal static class DataAccess
{
    /// <summary>Through the API of the process that works on the folder; where there is none, on the folder itself, which then is locked against others.</summary>
    /// <exception cref="IOException">There is no data folder, or the process that works on it serves no API.</exception>
    public static T Open<T>(string path, Func<DataFolder, T> stored, Func<Uri, T> served)
    {
        if (DataFolder.TryOpenExisting(path) is { } folder) return stored(folder);
        return ServerFile.Read(Path.GetFullPath(path)) is { } server ? served(server)
            : throw new IOException($"{path} is in use by another process that serves no API; expected a running serve or demo, or a data folder that nobody uses.");
    }
}
