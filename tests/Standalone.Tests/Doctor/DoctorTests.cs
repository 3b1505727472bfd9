using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Doctor;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.Standalone.Tests.Doctor;

/// <summary>Each fault is injected, found, and comes with advice.</summary>
[Collection("Pipeline")]
public sealed class DoctorTests : IDisposable
{
    private const long GiB = 1L << 30;
    private static readonly Machine Good = new(Architecture.X64, ["AVX2"], 4, 16 * GiB, 65_536, _ => 100 * GiB, _ => "ext4");

    private readonly Files files = new();
    private readonly string data;

    public DoctorTests() => data = Path.Combine(files.Folder, "data");

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task This_machine_can_run_the_program()
    {
        Tool.Result result = await Tool.SucceedAsync("doctor", "--data", data, "--port", "0", "--json");
        JsonElement[] findings = [.. JsonSerializer.Deserialize<JsonElement>(result.Output).GetProperty("findings").EnumerateArray()];
        Assert.All(findings, finding => Assert.NotEqual("problem", finding.GetProperty("result").GetString()));
        Assert.Contains("gives its known vector", findings.Single(finding => finding.GetProperty("check").GetString() == "encoder").GetProperty("found").GetString()!, StringComparison.Ordinal);
        Assert.False(Directory.Exists(data)); // it looks, and makes nothing
        Assert.Empty(Directory.GetFileSystemEntries(files.Folder));
    }

    [Fact]
    public async Task A_problem_is_exit_code_1_and_comes_with_advice()
    {
        string file = files.Write("file", "");
        Tool.Result result = await Tool.RunAsync("doctor", "--data", file, "--port", "0");
        Assert.Equal(ExitCodes.NotDone, result.ExitCode);
        Assert.Contains($"{file} is a file", result.Output, StringComparison.Ordinal);
        Assert.Contains("→ Name a folder (--data).", result.Output, StringComparison.Ordinal);
        Assert.Contains("There is a problem", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_machine()
    {
        Is("ok", MachineChecks.Processor(Good));
        Is("warning", MachineChecks.Processor(Good with { Features = [] }));
        Is("problem", MachineChecks.Processor(Good with { Architecture = Architecture.Arm64 }));
        Is("warning", MachineChecks.Cores(Good with { Cores = 1 }));
        Is("ok", MachineChecks.Memory(Good, 2_048));
        Is("warning", MachineChecks.Memory(Good with { MemoryBytes = 3 * GiB }, 2_048));
        Is("ok", MachineChecks.Memory(Good with { MemoryBytes = 3 * GiB }, 512));
        Is("problem", MachineChecks.Memory(Good with { MemoryBytes = GiB / 2 }, 512));
        Is("ok", MachineChecks.OpenFiles(Good));
        Is("ok", MachineChecks.OpenFiles(Good with { OpenFiles = null }));
        Is("warning", MachineChecks.OpenFiles(Good with { OpenFiles = 1_024 }));
        Is("problem", MachineChecks.OpenFiles(Good with { OpenFiles = 100 }));
    }

    [Fact]
    public void The_clock()
    {
        var now = new DateTimeOffset(2027, 1, 1, 12, 0, 0, TimeSpan.Zero);
        Finding Look(DateTimeOffset written, DateTimeOffset? newest) => MachineChecks.Clock(now, written, newest, TimeSpan.FromMinutes(5));
        Is("ok", Look(now.AddDays(-100), now.AddMinutes(4)));
        Is("ok", Look(now.AddDays(-100), null));
        Is("warning", Look(now.AddDays(-100), now.AddMinutes(6)));
        Is("problem", Look(now.AddDays(100), null));
    }

    [Fact]
    public void Libtorch_that_does_not_load()
    {
        Is("ok", LibtorchCheck.Look());
        Finding old = LibtorchCheck.Look(() => throw new TypeInitializationException("torch", new DllNotFoundException("libstdc++.so.6: version `GLIBCXX_3.4.32' not found")));
        Is("problem", old, "GLIBCXX_3.4.32");
        Assert.Contains("Debian 12", old.Advice, StringComparison.Ordinal);
        Is("problem", LibtorchCheck.Look(() => throw new DllNotFoundException("libtorch.so: cannot open shared object file")), "libtorch.so");
    }

    [Fact]
    public void Encoders_that_are_not_what_they_should_be()
    {
        using SentenceEncoder tiny = SentenceEncoder.Load(TinyEncoder.Folder);
        float[] vector = tiny.Encode(["a stove"], cancellationToken: TestContext.Current.CancellationToken).Row(0)[..4].ToArray();
        var canary = new Canary(tiny.Fingerprint, "a stove", vector);
        Is("ok", EncoderCheck.Look(TinyEncoder.Folder, EncoderArithmetic.Float32, canary), "known vector");
        Is("problem", EncoderCheck.Look(TinyEncoder.Folder, EncoderArithmetic.Float32, canary with { Begin = [vector[0] + 0.02f, .. vector[1..]] }), "is off by 0.0200");
        Is("problem", EncoderCheck.Look(null, EncoderArithmetic.Float32, canary), "its files are not those");
        Is("ok", EncoderCheck.Look(TinyEncoder.Folder, EncoderArithmetic.Float32, Canary.Bundled)); // of another one no vector is known

        string broken = Path.Combine(files.Folder, "broken");
        TinyEncoder.CopyTo(broken);
        File.Delete(Path.Combine(broken, "model.safetensors"));
        Is("problem", EncoderCheck.Look(broken, EncoderArithmetic.Float32, canary), "model.safetensors");
    }

    [Fact]
    public async Task An_encoder_that_the_configuration_or_the_policy_names_is_the_one_that_is_looked_at()
    {
        Is("problem", (await LookAsync(new() { ["Encoder:Path"] = "/no/such/encoder" }))["encoder"], "/no/such/encoder");
        Is("problem", (await LookAsync(new() { ["Encoder:Arithmetic"] = "float8" }))["encoder"], "float8");
        Is("ok", (await LookAsync(new(), policy: $"embedder: {TinyEncoder.Folder}\n"))["encoder"], TinyEncoder.Folder);
        Is("problem", (await LookAsync(new(), policy: "embeder: x\n"))["policy"], "unknown key 'embeder'");
    }

    [Fact]
    public void The_data_folder()
    {
        Dictionary<string, Finding> Look(string path, Machine? machine = null) => DataFolderChecks.Look(path, machine ?? Good).ToDictionary(finding => finding.Check);

        Is("ok", Look(data)["data folder"], "is not there yet");
        Is("problem", Look("/proc/beeformer")["data folder: writing"]); // nobody may make a file there, not even root
        Is("warning", Look(data, Good with { FreeBytes = _ => 5 * GiB })["data folder: room"], "5.0 GiB free");
        Is("problem", Look(data, Good with { FreeBytes = _ => 10 })["data folder: room"]);
        Is("warning", Look(data, Good with { FreeBytes = _ => throw new IOException("no such drive") })["data folder: room"], "no such drive");
        Is("warning", Look(data, Good with { FileSystem = _ => "nfs4" })["data folder: file system"], "nfs4, over the network");
        Is("warning", Look(data, Good with { FileSystem = _ => "tmpfs" })["data folder: file system"]);
        Is("ok", Look(data)["data folder: file system"], "ext4");

        using (DataFolder.Open(data)) Is("ok", Look(data)["data folder"], "another process works on it");
        Is("ok", Look(data)["data folder"], "nobody works on it");
        string[] before = Directory.GetFileSystemEntries(data);
        Is("ok", Look(data)["data folder: writing"]);
        Assert.Equal(before, Directory.GetFileSystemEntries(data));

        File.WriteAllText(Path.Combine(data, "format.json"), """{"product": "BeeFormer.Streaming", "format": 99}""");
        Is("problem", Look(data)["data folder"], "format 99, expected 1");
        Is("ok", Look(files.Folder)["data folder"], "holds nothing of the program yet");
        Directory.CreateDirectory(Path.Combine(files.Folder, "windows"));
        Is("problem", Look(files.Folder)["data folder"], "holds the folder windows but no format.json");
    }

    [Fact]
    public void The_address()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        Is("problem", AddressCheck.Look(url, null), url);
        Is("problem", AddressCheck.Look($"http://127.0.0.1:0;{url}", null), url);
        Is("ok", AddressCheck.Look(url, new Uri(url)), "the server of the data folder");
        Is("ok", AddressCheck.Look("http://127.0.0.1:0", null), "is free");
        Is("problem", AddressCheck.Look("http://0.0.0.0:8080", null), "expected a loopback address");
        Is("problem", AddressCheck.Look("here", null), "is no address");
        Is("problem", AddressCheck.Look("here", null, keys: true), "is no address");
        Is("ok", AddressCheck.Look("http://0.0.0.0:0", null, keys: true), "is free");
    }

    /// <returns>By what was looked at.</returns>
    private async Task<Dictionary<string, Finding>> LookAsync(Dictionary<string, string?> settings, string? policy = null)
    {
        var patient = new Patient(data, "http://127.0.0.1:0", policy is null ? null : files.Write("policy.yaml", policy), new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), Good, [], Canary.Bundled, TimeSpan.FromSeconds(5), TimeProvider.System);
        return (await Examination.RunAsync(patient, TestContext.Current.CancellationToken)).Findings.ToDictionary(finding => finding.Check);
    }

    internal static void Is(string result, Finding finding, string found = "")
    {
        Assert.True(finding.Result == result, $"{finding}");
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
        Assert.Equal(result == "ok", finding.Advice is null);
    }
}
