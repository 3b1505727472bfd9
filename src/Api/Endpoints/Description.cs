using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace BeeFormer.Streaming.Api;

/// <summary>What the OpenAPI document says beyond what the endpoints' signatures do.</summary>
internal static class Description
{
    private static readonly string[] Schemes = ["bearer", "api_key"];

    private sealed record RequestExample(string Json);

    /// <summary>A request body that works.</summary>
    public static TBuilder WithExample<TBuilder>(this TBuilder endpoint, string json) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RequestExample(json));

    /// <summary>The endpoint may answer with problem details of these statuses.</summary>
    public static TBuilder Refuses<TBuilder>(this TBuilder endpoint, params int[] statuses) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata([.. statuses.Select(status => new ProducesResponseTypeMetadata(status, typeof(ProblemBody), ["application/problem+json"]))]);

    public static void Complete(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "BeeFormer.Streaming";
            document.Info.Description = "Recommendations that learn from a stream of events.";
            document.Components ??= new OpenApiComponents();
            document.AddComponent<IOpenApiSecurityScheme>(Schemes[0], new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key; needed where the server has any." });
            document.AddComponent<IOpenApiSecurityScheme>(Schemes[1], new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = ApiKeyAuthentication.Header, Description = "The same key in a header of its own." });
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (metadata.OfType<IAuthorizeData>().LastOrDefault()?.Policy is { } scope)
            {
                operation.Description = $"{operation.Description} Scope: {scope}.".TrimStart();
                operation.Security = [.. Schemes.Select(scheme => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [] })];
            }
            foreach (var (status, response) in operation.Responses ?? [])
                if (int.TryParse(status, CultureInfo.InvariantCulture, out int number) && number >= 400 && response is OpenApiResponse described) described.Description = Problems.Title(number);
            if (metadata.OfType<RequestExample>().LastOrDefault() is { } example && operation.RequestBody?.Content?.TryGetValue("application/json", out var body) == true) body.Example = JsonNode.Parse(example.Json);
            return Task.CompletedTask;
        });
    }
}
