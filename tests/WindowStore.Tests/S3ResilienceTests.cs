using System.Net.Sockets;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>Which failures of a call are tried again.</summary>
public sealed class S3ResilienceTests
{
    [Fact]
    public void A_connection_that_is_gone_before_it_is_used_is_one_of_them()
    {
        int attempts = 0;
        var resilience = new S3Resilience(TimeSpan.FromSeconds(30), 2, TimeSpan.FromMilliseconds(1), TimeProvider.System);
        Assert.Equal("there", resilience.Run(_ => ++attempts < 3 ? Task.FromException<string>(new SocketException((int)SocketError.NotConnected)) : Task.FromResult("there")));
        Assert.Equal(3, attempts);
    }
}
