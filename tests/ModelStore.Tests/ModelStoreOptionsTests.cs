using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore.S3;
using BeeFormer.Streaming.WindowStore.Tests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class ModelStoreOptionsTests(S3Server server) : IDisposable
{
    private readonly TemporaryFolder folder = new();
    public void Dispose() => folder.Dispose();

    private IHost Host(params (string Key, string Value)[] settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
        builder.Services.AddModelStore(builder.Configuration, folder.File("default"));
        return builder.Build();
    }

    [Theory]
    [InlineData("Models:Uri", "gs://bucket", "Models:Uri is gs://bucket; expected a folder, file:///folder or s3://bucket/prefix")]
    [InlineData("Models:Uri", "s3:///prefix", "Models:Uri is s3:///prefix; expected s3://bucket/prefix")]
    [InlineData("Models:S3:ServiceUrl", "minio:9000", "Models:S3:ServiceUrl is minio:9000; expected http://")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string key, string value, string sentence)
    {
        using IHost host = Host((key, value));
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(sentence, failure.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, Assert.Throws<InvalidDataException>(() => ModelStoreOptions.Read(host.Services.GetRequiredService<IConfiguration>())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_unknown_is_named()
    {
        using IHost host = Host(("Models:Url", "s3://bucket"));
        Assert.Contains("Url", (await Assert.ThrowsAnyAsync<InvalidOperationException>(() => host.StartAsync(TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void How_s3_is_reached_stands_with_the_models_or_else_with_the_windows()
    {
        using IHost shared = Host(("Models:Uri", "s3://b"), ("Storage:S3:ServiceUrl", "http://windows:1"), ("Storage:S3:ForcePathStyle", "true"));
        using IHost own = Host(("Models:Uri", "s3://b"), ("Storage:S3:ServiceUrl", "http://windows:1"), ("Models:S3:ServiceUrl", "http://models:1"));
        using IHost wrong = Host(("Models:Uri", "s3://b"), ("Storage:S3:ServiceUrl", "windows"));
        static S3Options Reach(IHost host) => host.Services.GetRequiredService<IOptions<ModelStoreOptions>>().Value.Reach(host.Services.GetRequiredService<IConfiguration>()).Options;
        Assert.Equal(("http://windows:1", true), (Reach(shared).ServiceUrl, Reach(shared).ForcePathStyle));
        Assert.Equal(("http://models:1", false), (Reach(own).ServiceUrl, Reach(own).ForcePathStyle));
        Assert.Contains("Storage:S3:ServiceUrl is windows", Assert.Throws<InvalidDataException>(() => wrong.Services.GetRequiredService<IModelStore>()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Models_trainings_and_leases_lie_where_the_uri_says(bool asUri)
    {
        string elsewhere = folder.File("else where");
        using IHost host = Host(("Models:Uri", asUri ? new Uri(elsewhere).AbsoluteUri : elsewhere));
        ModelVersion version = AModel.Publish(host.Services.GetRequiredService<IModelStore>(), 'a');
        TrainingRecord record = TrainingRecordsTests.ARecord(1);
        host.Services.GetRequiredService<ITrainingRecords>().Save(record);
        await using HeldLease held = host.Services.GetRequiredService<ILeases>().TryAcquire("trainer")!;
        Assert.NotNull(new FolderModelStore(elsewhere, TimeProvider.System).Find(version));
        Assert.NotNull(new FolderTrainingRecords(ModelStoreServices.TrainingsIn(elsewhere)).Find(record.Id));
        Assert.Null(Leases.InFolder(ModelStoreServices.LeasesIn(elsewhere), TimeProvider.System).TryAcquire("trainer"));
        Assert.False(Directory.Exists(folder.File("default")));
    }

    [Fact]
    public void On_s3_all_of_it_is_on_s3()
    {
        server.Require();
        using IHost host = Host(("Models:Uri", "s3://bucket/models"), ("Storage:S3:ServiceUrl", server.Options.ServiceUrl!));
        Assert.IsType<S3TrainingRecords>(host.Services.GetRequiredService<ITrainingRecords>());
        Assert.IsType<Leases>(host.Services.GetRequiredService<ILeases>());
    }
}
