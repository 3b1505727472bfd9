using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Models that variants are served from, whatever is live: of section <c>Variants</c> the values of <c>Version</c>, which the Api checks.</summary>
internal static class PinnedModels
{
    public static IReadOnlyList<ModelVersion> Of(IConfiguration configuration) =>
        [.. configuration.GetSection("Variants").GetChildren().Select(variant => variant["Version"]).Where(version => !string.IsNullOrEmpty(version)).Distinct().Select(version => new ModelVersion(version!))];
}
