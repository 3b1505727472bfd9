using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.Timeout;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>A service as a process of its own, on servers: what its <c>Program.cs</c> says and what all four do alike.</summary>
/// <param name="Name">In logs, telemetry and usage: <c>ingest</c>, <c>trainer</c>, <c>indexer</c>, <c>api</c>.</param>
/// <param name="DefaultUrl">Where health and metrics are served, unless <c>Urls</c> says otherwise.</param>
/// <param name="Needs">Configuration keys without which it cannot run.</param>
public sealed record ServiceProgram(string Name, string DefaultUrl, IReadOnlyList<RequiredKey> Needs)
{
    /// <summary>Configuration key of the folder for copies, caches and checkpoints, which may be lost. Default <c>data</c>.</summary>
    public const string DataKey = "Data";

    private const int Done = 0, NotDone = 1, Defect = 70;
    /// <summary>Between attempts to start while a server is away.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    /// <summary>Registers the parts and the service.</summary>
    public required Action<WebApplicationBuilder> Add { get; init; }

    /// <summary>Maps what it serves over HTTP; by default health and metrics, open to whoever reaches the address.</summary>
    public Action<WebApplication> Map { get; init; } = static application =>
    {
        application.MapHealth();
        application.MapMetrics();
    };

    /// <summary>A file or folder of the service's own under the data folder.</summary>
    public static string At(IConfiguration configuration, string part) => Path.Combine(Path.GetFullPath(configuration[DataKey] is { Length: > 0 } data ? data : "data"), part);

    /// <summary>
    /// Runs until SIGTERM or Ctrl+C; with the argument <c>health</c> asks the running one whether it works, instead. A server that it cannot start without and that is away is waited for, with a sentence for
    /// each attempt: whoever starts services again waits ever longer, this does not.
    /// </summary>
    /// <param name="args">Settings such as <c>--RabbitMq:Host=rabbit</c>, or <c>health</c>, or <c>--help</c>.</param>
    /// <returns>0: stopped as asked; 1: not started, a sentence on standard error says why; 70: a defect.</returns>
    public async Task<int> RunAsync(string[] args)
    {
        while (true)
        {
            var started = new StrongBox<bool>();
            try
            {
                return await RunOnceAsync(args, started);
            }
            catch (Exception away) when (!started.Value && IsAway(away))
            {
                await Console.Error.WriteLineAsync($"{Sentence(away)!.TrimEnd('.')}. Next attempt to start in {s_pause.TotalSeconds} s.");
                await Task.Delay(s_pause, TimeProvider.System);
            }
            catch (Exception failure) when (Sentence(failure) is { } sentence)
            {
                await Console.Error.WriteLineAsync(sentence);
                return NotDone;
            }
            catch (Exception failure)
            {
                await Console.Error.WriteLineAsync($"This is a defect of the program, please report it: {failure}");
                return Defect;
            }
        }
    }

    /// <param name="started">Becomes true when it runs, or was asked to stop before.</param>
    private async Task<int> RunOnceAsync(string[] args, StrongBox<bool> started)
    {
        if (args is ["--help" or "-h" or "help"]) return Usage();
        bool health = args is ["health", ..];
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, Args = health ? args[1..] : args });
        builder.Configuration.AddSecrets();
        string urls = builder.Configuration["Urls"] is { Length: > 0 } named ? named : DefaultUrl;
        if (health) return await Health.AskAsync(urls, Console.Out, CancellationToken.None);

        RequiredKey.Check(Name, Needs, builder.Configuration);
        using FileStream mine = Lock(At(builder.Configuration, "lock"));
        builder.WebHost.UseUrls(urls);
        builder.AddServiceDefaults($"beeformer-{Name}");
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("MassTransit", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical); // whoever asks gets the answer
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Error && started.Value); // why it did not start is said below, in a sentence
        Add(builder);
        await using WebApplication application = builder.Build();
        Map(application);
        foreach (CancellationToken sign in (CancellationToken[])[application.Lifetime.ApplicationStarted, application.Lifetime.ApplicationStopping]) sign.Register(() => started.Value = true);
        return await ServeAsync(application, urls);
    }

    private async Task<int> ServeAsync(WebApplication application, string urls)
    {
        ILogger logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("BeeFormer.Streaming.Service");
        application.Lifetime.ApplicationStarted.Register(() => logger.LogInformation("{Service} runs; health at {Urls}", Name, string.Join(", ", application.Urls.DefaultIfEmpty(urls))));
        // Not RunAsync, which takes the services away before they can be asked.
        await application.StartAsync();
        await application.WaitForShutdownAsync();
        // A stage that gave up has stopped the host; whoever watches the process starts it again.
        Exception? why = application.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(service => service.ExecuteTask?.Exception?.GetBaseException()).FirstOrDefault(failure => failure is not null);
        return why is null ? Done : throw new IOException($"{Name} has stopped: {why.Message}", why);
    }

    private static FileStream Lock(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException used)
        {
            throw new IOException($"{Path.GetDirectoryName(file)} is in use by another process; expected a folder of its own for each in {DataKey}.", used);
        }
    }

    private int Usage()
    {
        string program = AppDomain.CurrentDomain.FriendlyName;
        Console.WriteLine($"""
            The {Name} service of BeeFormer.Streaming, on servers.

            Usage: {program} [--Key=value …]     runs until SIGTERM or Ctrl+C
                   {program} health              0 if the running one works, else 1

            Needs: {string.Join("\n       ", Needs.Select(need => $"{need.Key,-26} {need.What}"))}
            Keys come from the command line, the environment (RabbitMq__Host), or files in the folder that Secrets names (default {Secrets.DefaultFolder}; RabbitMq__Password).
            Exit codes: 0 stopped as asked, 1 not started or given up (a sentence on standard error says why), 70 a defect.
            """);
        return Done;
    }

    /// <summary>It did not answer, or nobody is there; not that it refused.</summary>
    private static bool IsAway(Exception failure)
    {
        if (Sentence(failure) is null) return false;
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressInUseException) return false;
            if (cause is HttpRequestException or SocketException or TimeoutException or TimeoutRejectedException) return true;
        }
        return false;
    }

    private static string? Sentence(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions.Count: 1 } one => Sentence(one.InnerExceptions[0]),
        OptionsValidationException options => string.Join(" ", options.Failures),
        InvalidDataException or IOException or UnauthorizedAccessException => failure.Message,
        _ => null,
    };
}
