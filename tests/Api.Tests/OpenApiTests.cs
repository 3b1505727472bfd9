using System.Net;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class OpenApiTests
{
    [Fact]
    public async Task Document_lists_every_route_with_name_and_summary()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, document) = await api.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, status);
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => (Route: $"{operation.Name} {path.Name}", operation.Value))).ToList();
        Assert.Equal(
            [
                "delete /v1/items/{id}", "delete /v1/users/{id}", "get /healthz", "get /readyz", "get /v1/dead-letters", "get /v1/dead-letters/{topic}/{partition}/{offset}", "get /v1/items/{id}/similar", "get /v1/models", "get /v1/models/{version}",
                "get /v1/models/{version}/archive", "get /v1/pipeline", "get /v1/trainings", "get /v1/trainings/{id}", "get /v1/users/{id}/erasure", "post /v1/compare", "post /v1/dead-letters/replay", "post /v1/events", "post /v1/items", "post /v1/models/archives",
                "post /v1/models/{version}/activate", "post /v1/recommendations", "post /v1/search", "post /v1/trainings", "post /v1/trainings/{id}/cancel", "put /v1/items/{id}",
            ],
            operations.Select(operation => operation.Route).Order(StringComparer.Ordinal));
        Assert.All(operations, operation =>
        {
            Assert.True(operation.Value.TryGetProperty("operationId", out _), operation.Route);
            Assert.True(operation.Value.TryGetProperty("summary", out _), operation.Route);
        });
        Assert.Contains("exclude_seen", document.GetRawText());
    }
}
