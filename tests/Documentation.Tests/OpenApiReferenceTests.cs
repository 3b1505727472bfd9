using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Documentation.Tests;

public sealed class OpenApiReferenceTests
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public Task The_document_is_what_the_program_serves() => Beeformer.ServeAsync(async server =>
    {
        using var http = new HttpClient { BaseAddress = server };
        var document = JsonNode.Parse(await http.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken))!.AsObject();
        document.Remove("servers"); // where this one listened
        Assert.True(document["paths"]!.AsObject().Count > 20, "The document lacks most endpoints.");
        Checkout.HoldsGenerated(Checkout.At("docs", "reference", "openapi.json"), document.ToJsonString(s_readable) + "\n");
    });
}
