using System.Runtime.CompilerServices;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.Ingest;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.Standalone.Erasure;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>All services in one process, everything under one data folder but for the parts whose servers the configuration names.</summary>
internal sealed class StandaloneHost : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly DataFolder folder;
    /// <summary>Between start and stop: what the bus says of its own beginning and end is no news.</summary>
    private readonly StrongBox<bool> running;

    private StandaloneHost(WebApplication application, DataFolder folder, StrongBox<bool> running)
    {
        (this.application, this.folder, this.running) = (application, folder, running);
        IServiceProvider services = application.Services;
        Pipeline = new LivePipeline(services.GetRequiredService<IEventLog>(), services.GetRequiredService<IWindowStore>(), services.GetRequiredService<IModelStore>(),
            services.GetRequiredService<IVectorIndex>(), services.GetRequiredService<IBus>(), Board, Time);
    }

    public LivePipeline Pipeline { get; }
    public DataFolder Folder => folder;
    public TrainingBoard Board => application.Services.GetRequiredService<TrainingBoard>();
    public TimeProvider Time => application.Services.GetRequiredService<TimeProvider>();
    public IEnumerable<string> Urls => application.Urls;
    public EncoderOutputCache Cache => application.Services.GetRequiredService<EncoderOutputCache>();
    public SharedModels Models => application.Services.GetRequiredService<SharedModels>();
    public UserVectorOptions UserVector => application.Services.GetRequiredService<IOptions<UserVectorOptions>>().Value;
    public ProfilesOptions Profiles => application.Services.GetRequiredService<ProfilesOptions>();
    public RankingOptions Ranking => application.Services.GetRequiredService<IOptions<RankingOptions>>().Value;
    public TimeSpan PopularityHalfLife => application.Services.GetRequiredService<IOptions<ApiOptions>>().Value.PopularityHalfLife;

    /// <summary>Opens the folder and starts every service.</summary>
    /// <param name="urls">Where no API keys are configured, loopback addresses only: nothing else would keep others out.</param>
    /// <param name="quiet">Only warnings are logged: the command prints tables of its own.</param>
    /// <param name="settings">Overrides of configuration keys.</param>
    /// <param name="also">Registers something beside the services.</param>
    public static async Task<StandaloneHost> StartAsync(
        string data, string urls, bool quiet, IReadOnlyDictionary<string, string?> settings, CancellationToken cancellationToken, Action<IServiceCollection>? also = null)
    {
        DataFolder folder = DataFolder.Open(data);
        WebApplication? application = null;
        var running = new StrongBox<bool>();
        try
        {
            application = Build(folder, urls, quiet, settings, running, also);
            await application.StartAsync(cancellationToken);
            running.Value = true;
            ServerFile.Write(folder.Root, application.Urls);
            return new StandaloneHost(application, folder, running);
        }
        catch
        {
            if (application is not null) await application.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    private static WebApplication Build(DataFolder folder, string urls, bool quiet, IReadOnlyDictionary<string, string?> settings, StrongBox<bool> running, Action<IServiceCollection>? also)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "beeformer" });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Configuration.AddJsonFile(keys =>
        {
            (keys.Path, keys.Optional, keys.ReloadOnChange) = (folder.Keys, true, true);
            keys.OnLoadException = failure => failure.Ignore = running.Value; // at the start it stops the program, later the keys stay as they were
            keys.ResolveFileProvider();
        });
        Loopback.Check(urls, keyed: ApiKeyEntry.Read(builder.Configuration).Count > 0);
        builder.WebHost.UseUrls(urls);
        builder.AddServiceDefaults();
        LogTo(builder.Logging, quiet, running);

        IServiceCollection services = builder.Services;
        services.AddSingleton<IHostLifetime, CommandLifetime>();
        services.AddSingleton<TrainingBoard>();
        services.AddEncoderOutputCache(folder.Cache);
        services.AddSingleton(new TrainingCheckpoints(folder.Checkpoints));
        services.AddEventLog(builder.Configuration, folder.Log);
        services.AddProfiles(builder.Configuration, folder.Profiles);
        services.AddWindowStore(folder.Windows);
        services.AddModelStore(folder.Models);
        services.AddErasureSearch(folder.Root);
        services.AddVectorIndex(builder.Configuration, folder.Index);

        builder.AddControlPlane(bus =>
        {
            bus.AddTrainerConsumers();
            bus.AddIndexerConsumers();
            bus.AddApiConsumers();
            bus.AddConsumer<TrainingBoardConsumer>().OfThisInstance();
        });

        builder.AddIngest();
        builder.AddTrainer();
        builder.AddIndexer();
        builder.AddApi();
        also?.Invoke(services);
        TorchThreads.LeaveOneForServing();
        WebApplication application = builder.Build();
        application.MapApi();
        return application;
    }

    /// <summary>Runs a command on the pipeline; ends it when a service gives up.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> command, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, application.Lifetime.ApplicationStopping);
        try
        {
            return await command(either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            Exception? why = application.Services.GetServices<IHostedService>().OfType<BackgroundService>().Select(service => service.ExecuteTask?.Exception?.GetBaseException()).FirstOrDefault(failure => failure is not null);
            throw new IOException($"A service of the pipeline has failed and the rest was stopped: {why?.Message ?? "the log above says why"}", why ?? e);
        }
    }

    /// <summary>Serves until the command is stopped.</summary>
    public Task<int> ServeAsync(CancellationToken cancellationToken) => RunAsync(async token =>
    {
        var stopped = new TaskCompletionSource();
        using (token.Register(stopped.SetResult)) await stopped.Task;
        return cancellationToken.IsCancellationRequested ? 0 : throw new OperationCanceledException(token);
    }, cancellationToken);

    private static void LogTo(ILoggingBuilder logging, bool quiet, StrongBox<bool> running)
    {
        logging.SetMinimumLevel(quiet ? LogLevel.Warning : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // What keeps the host from starting reaches the caller as an exception, and the user as one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Warning && running.Value);
        logging.AddFilter("MassTransit", level => level >= LogLevel.Warning && running.Value);
        logging.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    public async ValueTask DisposeAsync()
    {
        running.Value = false;
        await application.StopAsync();
        await application.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>The command hears Ctrl+C and stops the host; the host itself listens to nobody.</summary>
    private sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
