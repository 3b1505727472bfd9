using BeeFormer.Streaming.VectorIndex.Embedded;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex.Tests;

public sealed class EmbeddedRegistrationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ServiceProvider Services(params (string Key, string? Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).Build();
        return new ServiceCollection().AddVectorIndex(configuration, folder).BuildServiceProvider();
    }

    [Fact]
    public void The_configuration_says_from_which_size_on_searches_are_approximate()
    {
        using var services = Services(("VectorIndex:ApproximateFrom", "1000"));
        Assert.IsType<EmbeddedVectorIndex>(services.GetRequiredService<IVectorIndex>());
        Assert.Equal(1000, services.GetRequiredService<IOptions<EmbeddedIndexOptions>>().Value.ApproximateFrom);
    }

    [Fact]
    public void A_wrong_or_unknown_setting_is_refused_by_name()
    {
        using var negative = Services(("VectorIndex:ApproximateFrom", "-1"));
        Assert.Contains(nameof(EmbeddedIndexOptions.ApproximateFrom), Assert.Throws<OptionsValidationException>(negative.GetRequiredService<IVectorIndex>).Message, StringComparison.Ordinal);
        using var unknown = Services(("VectorIndex:Aproximate", "1"));
        Assert.Contains("Aproximate", Assert.Throws<InvalidOperationException>(unknown.GetRequiredService<IVectorIndex>).Message, StringComparison.Ordinal);
    }
}
