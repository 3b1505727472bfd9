namespace BeeFormer.Streaming.Client.Tests;

/// <summary>The package readme's code, as it stands there between the lines that name a snippet: compiled, compared, and run.</summary>
internal static class ReadmeSnippets
{
    public static async Task RunAsync(string server, string? key)
    {
        // snippet: Ask
        using var client = new BeeFormerClient(new BeeFormerClientOptions { Server = new Uri(server), ApiKey = key });

        var ranking = await client.RecommendAsync(new RecommendationRequest
        {
            UserId = "ann",
            K = 10,
            Filter = Filter.All(Filter.Equal("category", "stoves", "tents"), Filter.Number("price", lessThan: 100)),
            Explain = true,
        });
        foreach (var item in ranking.Items) Console.WriteLine($"{item.ItemId} {item.Title} {item.Score:0.000} because of {item.Because?.ItemId}");

        var found = await client.SearchAsync(new SearchRequest { Text = "something to cook on in the woods" });
        var alike = await client.SimilarAsync("42");
        var scores = await client.ScoreAsync(new ScoreRequest { UserId = "ann", Candidates = ["42", "43"] });
        var vectors = await client.EmbedTextsAsync(["gas stove", "tent for two"]);
        // end
        Assert.Equal(ranking.Fingerprint, vectors.Fingerprint);
        Assert.Equal(2, scores.Items.Count + scores.LeftOut.Count);
        Assert.DoesNotContain(alike.Items, item => item.ItemId == "42");
        Assert.NotEmpty(found.Items);

        // snippet: The catalogue
        await client.PutItemAsync(new Item
        {
            ItemId = "42",
            Title = "Gas stove, two burners",
            Description = "Runs on screw-on cartridges; folds flat.",
            Attributes = new Dictionary<string, AttributeValue> { ["category"] = "stoves", ["price"] = 49.9, ["tags"] = new[] { "gas", "outdoor" } },
        });
        await client.PutItemsAsync([new Item { ItemId = "43", Title = "Tent for two" }, new Item { ItemId = "44", Title = "Sleeping bag", Available = false }]);
        await client.DeleteItemAsync("44");
        // end

        // snippet: Events, one at a time
        await using var events = new EventBatcher(client, new EventBatcherOptions
        {
            Refused = (refused, verdict) => Console.Error.WriteLine($"{refused.EventId}: {verdict.Message}"),
            Failing = failure => Console.Error.WriteLine($"Will be sent again: {failure.Message}"),
        });
        await events.AddAsync(new Interaction { UserId = "ann", ItemId = "42", Type = "purchase", Value = 1 });
        await events.FlushAsync(); // only where you must know that the server has them
        // end

        // snippet: When it goes wrong
        try
        {
            await client.ShowModelAsync("000099-00000000");
        }
        catch (ProblemException problem) // the server refused
        {
            Console.WriteLine($"{problem.Status} {problem.Code} {problem.Field}: {problem.Message}");
        }
        catch (NoAnswerException failure) // it did not answer, after every attempt that was safe
        {
            Console.WriteLine(failure.Message);
        }
        // end
    }
}
