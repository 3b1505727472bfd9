using System.Net;
using Microsoft.OpenApi;

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
                "delete /v1/items/{id}", "delete /v1/users/{id}", "get /healthz", "get /readyz", "get /v1/dead-letters", "get /v1/dead-letters/{topic}/{partition}/{offset}", "get /v1/items/{id}", "get /v1/items/{id}/similar", "get /v1/models", "get /v1/models/{version}",
                "get /v1/models/{version}/archive", "get /v1/pipeline", "get /v1/trainings", "get /v1/trainings/{id}", "get /v1/users/{id}/erasure", "get /v1/variants", "post /v1/compare", "post /v1/dead-letters/replay", "post /v1/embeddings", "post /v1/events", "post /v1/items", "post /v1/items/{id}/similar", "post /v1/models/archives",
                "post /v1/models/{version}/activate", "post /v1/recommendations", "post /v1/recommendations/batch", "post /v1/score", "post /v1/search", "post /v1/search/batch", "post /v1/trainings", "post /v1/trainings/{id}/cancel", "put /v1/items/{id}",
            ],
            operations.Select(operation => operation.Route).Order(StringComparer.Ordinal));
        Assert.All(operations, operation =>
        {
            Assert.True(operation.Value.TryGetProperty("operationId", out _), operation.Route);
            Assert.True(operation.Value.TryGetProperty("summary", out _), operation.Route);
        });
        Assert.Contains("exclude_seen", document.GetRawText());
    }

    [Fact]
    public async Task Document_has_no_errors()
    {
        await using var api = await ApiUnderTest.StartAsync();
        string json = await api.Client.GetStringAsync("/openapi/v1.json", ApiUnderTest.Token);
        var read = OpenApiDocument.Parse(json, "json");
        Assert.NotNull(read.Document);
        Assert.Empty(read.Diagnostic!.Errors.Select(error => $"{error.Pointer}: {error.Message}"));
        Assert.Empty(read.Diagnostic.Warnings.Select(warning => $"{warning.Pointer}: {warning.Message}"));
        Assert.Empty(read.Document.Validate(ValidationRuleSet.GetDefaultRuleSet()).Select(error => $"{error.Pointer}: {error.Message}"));
        Assert.NotEmpty(OpenApiDocument.Parse(json.Replace("\"paths\"", "\"paths_\"", StringComparison.Ordinal), "json").Diagnostic!.Errors); // the validator validates
    }

    [Fact]
    public async Task Every_endpoint_says_who_may_call_it_what_it_takes_and_what_it_refuses()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var document = OpenApiDocument.Parse(await api.Client.GetStringAsync("/openapi/v1.json", ApiUnderTest.Token), "json").Document!;
        Assert.Equal(["api_key", "bearer"], document.Components!.SecuritySchemes!.Keys.Order(StringComparer.Ordinal));
        foreach (var (path, item) in document.Paths.Where(path => path.Key.StartsWith("/v1/", StringComparison.Ordinal)))
        foreach (var (method, operation) in item.Operations!)
        {
            string name = $"{method} {path}";
            Assert.True(operation.Security is { Count: 2 }, name);
            Assert.Contains("Scope: ", operation.Description, StringComparison.Ordinal);
            foreach (string status in new[] { "401", "403", "429", "503" })
                Assert.True(operation.Responses!.TryGetValue(status, out var refusal) && refusal.Content!.ContainsKey("application/problem+json"), $"{name} {status}");
            Assert.True(operation.Responses!.Where(response => response.Key[0] == '2').All(response => response.Value.Content?.Values.Any(content => content.Schema is not null) == true), name);
            if (operation.RequestBody is null || path == "/v1/models/archives") continue;
            Assert.True(operation.RequestBody.Content!["application/json"] is { Example: not null, Schema: not null }, name);
        }
        Assert.Contains("path such as filter.must[2].gte", document.Components.Schemas!["ProblemBody"].Properties!["field"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_examples_work()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var document = OpenApiDocument.Parse(await api.Client.GetStringAsync("/openapi/v1.json", ApiUnderTest.Token), "json").Document!;
        await api.IndexAsync("42", "Gas stove");
        await api.ServeAsync('b'); // two models to compare
        await ApiUnderTest.UntilAsync(() => Task.FromResult(api.Pairs.Identity!.Generation == 2));
        foreach (var (path, item) in document.Paths)
        foreach (var (method, operation) in item.Operations!)
        {
            if (operation.RequestBody?.Content?.TryGetValue("application/json", out var body) != true || body?.Example is not { } example) continue;
            var (status, answer) = await api.SendAsync(method, path.Replace("{id}", "42", StringComparison.Ordinal), example.ToJsonString());
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Accepted, $"{method} {path}: {status} {answer}");
        }
    }
}
