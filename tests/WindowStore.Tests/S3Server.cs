using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Amazon.Runtime;
using BeeFormer.Streaming.Servers;

[assembly: AssemblyFixture(typeof(BeeFormer.Streaming.WindowStore.Tests.S3Server))]

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>The server of <c>S3Server/server.js</c> on a free port of this machine, one for all tests; each test has a bucket of its own.</summary>
public sealed class S3Server : IAsyncLifetime
{
    private readonly TemporaryFolder objects = new();
    private readonly HttpClient http = new();
    private Process? process;
    private string? missing;
    private int locations;

    internal static AWSCredentials Credentials { get; } = new BasicAWSCredentials("S3RVER", "S3RVER");

    internal S3Options Options { get; } = new() { ForcePathStyle = true };

    internal S3Location NewLocation()
    {
        Require();
        var location = new S3Location($"bucket-{Interlocked.Increment(ref locations)}", "shop/windows");
        using var client = S3Client.Create(Options, Credentials);
        client.PutBucketAsync(location.Bucket).GetAwaiter().GetResult();
        return location;
    }

    /// <summary>Skips the test where the server cannot run; CI promises that it can.</summary>
    public void Require()
    {
        if (missing is null) return;
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
        Assert.Skip(missing);
    }

    /// <summary>Takes the place of faults of the same bucket that are left. The next requests of these methods whose path has that part fail so: an HTTP status; <c>cut</c> in the body; <c>hang</c>; <c>lost</c>: done, but the answer does not arrive; <c>unconditional</c>: done whatever the condition; <c>pass</c>: not at all.</summary>
    public async Task FailAsync(params (string Method, string Part, string Action)[] faults) =>
        (await http.PostAsJsonAsync($"{Options.ServiceUrl}/_faults", faults.Select(fault => new { method = fault.Method, part = fault.Part, action = fault.Action }))).EnsureSuccessStatusCode();

    /// <summary>So many writes to the bucket succeed still, then none.</summary>
    internal async Task AllowWritesAsync(S3Location location, int count) =>
        (await http.PostAsJsonAsync($"{Options.ServiceUrl}/_writes", new Dictionary<string, int> { [location.Bucket] = count })).EnsureSuccessStatusCode();

    /// <summary>Requests to the bucket since the last call, such as <c>PUT /bucket-1/shop/…</c>.</summary>
    internal async Task<IReadOnlyList<string>> RequestsAsync(S3Location location) =>
        (await http.GetFromJsonAsync<string[]>($"{Options.ServiceUrl}/_requests/{location.Bucket}"))!;

    public async ValueTask InitializeAsync()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "S3Server");
        try
        {
            await NodePackages.InstallAsync(folder);
            process = Start("node", folder, "server.js", objects.Path);
            if (await process.StandardOutput.ReadLineAsync() is { } port) Options.ServiceUrl = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{int.Parse(port, CultureInfo.InvariantCulture)}");
            else missing = $"the S3 server did not start: {await process.StandardError.ReadToEndAsync()}";
        }
        catch (Win32Exception absent)
        {
            missing = $"the S3 server needs node and npm: {absent.Message}";
        }
        catch (Exception failed) when (failed is InvalidOperationException or OperationCanceledException)
        {
            missing = $"the packages of the S3 server: {failed.Message}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        http.Dispose();
        objects.Dispose();
    }

    private static Process Start(string program, string folder, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
    })!;
}
