using System.Diagnostics;

namespace BeeFormer.Streaming.Servers;

/// <summary>What a program for Node needs, beside the program; test programs that run at the same time share one folder.</summary>
public static class NodePackages
{
    /// <summary>A package registry that does not answer is not waited for longer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    /// <summary>Installs the packages of the folder's <c>package-lock.json</c>, unless these very ones are there whole. One at a time: the others wait, and find them.</summary>
    /// <exception cref="InvalidOperationException">npm failed; tells what it said.</exception>
    /// <exception cref="OperationCanceledException">It did not end in time.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no npm.</exception>
    public static async Task InstallAsync(string folder)
    {
        string wanted = await File.ReadAllTextAsync(Path.Combine(folder, "package-lock.json")), whole = Path.Combine(folder, "node_modules", ".whole");
        using var patience = new CancellationTokenSource(s_patience);
        using var alone = await LockAsync(Path.Combine(folder, "install.lock"), patience.Token);
        if (File.Exists(whole) && await File.ReadAllTextAsync(whole, patience.Token) == wanted) return;
        using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--no-audit", "--no-fund"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var output = npm.StandardOutput.ReadToEndAsync(patience.Token);
            string error = await npm.StandardError.ReadToEndAsync(patience.Token);
            await npm.WaitForExitAsync(patience.Token);
            if (npm.ExitCode != 0) throw new InvalidOperationException($"npm ci failed: {await output}{error}");
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            throw;
        }
        await File.WriteAllTextAsync(whole, wanted, CancellationToken.None); // npm ci begins by deleting it
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await pause.WaitForNextTickAsync(cancellationToken);
            }
        }
    }
}
