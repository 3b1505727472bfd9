using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Deployment.Tests;

internal static partial class Images
{
    /// <summary>By a tag that names a whole version (4.3.1, v1.19.0-unprivileged), or by a digest.</summary>
    public static bool IsPinned(string image) => Pinned().IsMatch(image);

    [GeneratedRegex(@"^[\w./-]+(:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?)?(@sha256:[0-9a-f]{64})?(?<=:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?|[0-9a-f]{64})$")]
    private static partial Regex Pinned();
}

public sealed class ImagesTests
{
    [Theory]
    [InlineData("apache/kafka:4.3.1", true)]
    [InlineData("qdrant/qdrant:v1.19.0-unprivileged", true)]
    [InlineData("chrislusf/seaweedfs:4.43", true)]
    [InlineData("redis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true)]
    [InlineData("redis", false)]
    [InlineData("redis:8", false)]
    [InlineData("redis:latest", false)]
    [InlineData("rabbitmq:4-management", false)]
    public void A_pinned_image_names_its_version(string image, bool pinned) => Assert.Equal(pinned, Images.IsPinned(image));
}
