using BeeFormer.Streaming.Profiles.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Profiles.Tests.Embedded;

/// <summary>A folder of profiles and the processes that had it.</summary>
internal sealed class ProfileFolder : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("beeformer-profiles-").FullName;
    private readonly List<EmbeddedProfiles> _opened = [];
    private int _processes;

    public string Path => System.IO.Path.Combine(_root, $"{_processes}");

    public FakeTimeProvider Time { get; } = new();

    public EmbeddedProfiles Open(ProfilesOptions? options = null)
    {
        _opened.Add(new EmbeddedProfiles(Path, options ?? new ProfilesOptions(), Time, NullLogger.Instance));
        return _opened[^1];
    }

    /// <summary>Goes on with the files as they are now, while their writer still has them open.</summary>
    public void Kill()
    {
        string from = Path;
        _processes++;
        Directory.CreateDirectory(Path);
        foreach (string file in Directory.EnumerateFiles(from)) File.Copy(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var profiles in _opened) await profiles.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }
}
