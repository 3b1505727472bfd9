using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles.Embedded;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Profiles.Tests.Embedded;

/// <summary>A process that applies and writes all the time, killed without warning at several moments and started again each time.</summary>
public sealed class KilledWriterTests : IDisposable
{
    private const string FolderVariable = "BEEFORMER_TEST_PROFILES";
    private const int Users = 60;
    private static readonly ProfilesOptions Options = new() { InteractionsPerUser = 10_000, MemoryBytes = 1 << 20, WriteInterval = TimeSpan.FromMilliseconds(10) };

    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-profiles-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ProfileChange[] Log => AChange.RandomLog(seed: 13, 60_000, Users);

    [Fact(Timeout = 600_000)]
    public async Task What_a_killed_process_leaves_is_exactly_what_its_positions_say()
    {
        var log = Log;
        var random = new Random(14);
        long reached = 0;
        for (int kill = 0; kill < 4; kill++)
        {
            using var writer = Start();
            long enough = reached + random.Next(1, 4_000);
            using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(1)))
                while (Position() < enough && !writer.HasExited) await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            Assert.False(writer.HasExited, "The process ended before it could be killed.");
            writer.Kill(entireProcessTree: true);
            await writer.WaitForExitAsync(TestContext.Current.CancellationToken);

            await using var left = new EmbeddedProfiles(_folder, Options, TimeProvider.System, NullLogger.Instance);
            reached = left.NextOffset(0);
            Assert.InRange(reached, enough, log.Length);
            foreach (var user in Enumerable.Range(0, Users).Select(u => new UserId($"u{u}"))) Assert.Equal(AChange.Expected(log[..(int)reached], user), await left.GetAsync(user, Token));
        }
    }

    /// <summary>What the killed process does.</summary>
    [Fact(Explicit = true)]
    public async Task Applies_until_it_is_killed()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable(FolderVariable) is null, "Runs as the process that another test kills.");
        var log = Log;
        await using var profiles = new EmbeddedProfiles(Environment.GetEnvironmentVariable(FolderVariable)!, Options, TimeProvider.System, NullLogger.Instance);
        for (int at = (int)profiles.NextOffset(0); at < log.Length; at += 20)
        {
            int end = Math.Min(log.Length, at + 20);
            await profiles.ApplyAsync(0, end, log[at..end], Token);
            if (at % 3 == 0) await profiles.FlushAsync(Token);
        }
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[typeof(KilledWriterTests).Assembly.Location, "-explicit", "on", "-method", $"*{nameof(Applies_until_it_is_killed)}"]) start.ArgumentList.Add(argument);
        start.Environment[FolderVariable] = _folder;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private long Position()
    {
        string path = Path.Combine(_folder, "profiles.db");
        if (!File.Exists(path)) return -1;
        try
        {
            using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT max(next) FROM positions";
            return command.ExecuteScalar() is long next ? next : -1;
        }
        catch (SqliteException)
        {
            return -1; // not made yet
        }
    }
}
