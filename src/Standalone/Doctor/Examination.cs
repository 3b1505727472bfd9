using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Trainer;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>What is looked at.</summary>
/// <param name="Data">Path of the data folder, be it there or not.</param>
/// <param name="Urls">Where <c>serve</c> would listen.</param>
/// <param name="PolicyFile">Null: the program's own policy.</param>
/// <param name="Limit">Time for an attempt at a server.</param>
internal sealed record Patient(string Data, string Urls, string? PolicyFile, IConfiguration Configuration, Machine Machine, IReadOnlyList<Server> Servers, Canary Canary, TimeSpan Limit, TimeProvider Time);

/// <summary>Looks at all that the program needs before it is needed.</summary>
internal static class Examination
{
    public static async Task<DoctorReport> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var servers = new ServerCheck(patient.Time, patient.Limit);
        // Servers that are away take the longest: they are asked while the rest is looked at.
        Task<Finding>[] asked = [.. patient.Servers.Select(server => servers.LookAsync(server, patient.Configuration, cancellationToken))];

        TrainingPolicy policy = new();
        findings.Add(Guarded("policy", () =>
        {
            if (patient.PolicyFile is { } file) policy = TrainingPolicy.Load(file);
            return Finding.Ok("policy", patient.PolicyFile ?? "the program's own");
        }));
        findings.Add(MachineChecks.Processor(patient.Machine));
        findings.Add(MachineChecks.Cores(patient.Machine));
        findings.Add(MachineChecks.Memory(patient.Machine, policy.GraphMemoryMb));
        findings.Add(MachineChecks.OpenFiles(patient.Machine));
        findings.Add(Guarded("clock", () => MachineChecks.Clock(patient.Time.GetUtcNow(), File.GetLastWriteTimeUtc(typeof(Examination).Assembly.Location), DataFolderChecks.NewestChange(patient.Data),
            patient.Configuration.GetValue("Ingest:AllowedClockError", TimeSpan.FromMinutes(5)))));
        findings.Add(LibtorchCheck.Look());
        cancellationToken.ThrowIfCancellationRequested();
        if (findings[^1].Result == "ok") findings.Add(Guarded("encoder", () =>
        {
            BaseEncoderOptions encoder = patient.Configuration.GetSection(BaseEncoderOptions.Section).Get<BaseEncoderOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new BaseEncoderOptions();
            return EncoderCheck.Look(encoder.Path ?? policy.Embedder, encoder.Arithmetic, patient.Canary);
        }));
        findings.AddRange(DataFolderChecks.Look(patient.Data, patient.Machine));
        findings.Add(Guarded("address", () => AddressCheck.Look(patient.Urls, Directory.Exists(patient.Data) ? ServerFile.Read(Path.GetFullPath(patient.Data)) : null, ApiKeyEntry.Read(patient.Configuration).Count > 0)));
        findings.AddRange(await Task.WhenAll(asked));
        return DoctorReport.Of(findings);
    }

    private static Finding Guarded(string check, Func<Finding> look)
    {
        try
        {
            return look();
        }
        catch (Exception failure) when (failure is InvalidDataException or InvalidOperationException or OptionsValidationException or IOException or UnauthorizedAccessException)
        {
            return Finding.Problem(check, $"{failure.Message}{(failure.InnerException is { } inner ? $" {inner.Message}" : "")}", "Set right what the sentence names.");
        }
    }
}
