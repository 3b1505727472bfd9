using System.Net;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class ErasureTests
{
    [Fact]
    public async Task A_process_that_does_not_see_all_stores_says_so()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Get, "/v1/users/ann/erasure");
        Assert.Equal(HttpStatusCode.NotImplemented, status);
        Assert.Contains("does not see all stores", problem.GetProperty("detail").GetString());
        (status, problem) = await api.SendAsync(HttpMethod.Get, $"/v1/users/{new string('x', 513)}/erasure");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("id", problem.GetProperty("field").GetString());
    }
}
