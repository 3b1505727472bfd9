using BeeFormer.Streaming.Client;

// Every kind of call once, against the server that the argument names.
using var client = new BeeFormerClient(new BeeFormerClientOptions { Server = new Uri(args[0]) });
await client.PutItemAsync(new Item { ItemId = "aot", Title = "Gas stove", Attributes = new Dictionary<string, AttributeValue> { ["price"] = 49.9, ["tags"] = new[] { "gas" }, ["new"] = true } });
await client.PutItemsAsync([new Item { ItemId = "aot-2", Title = "Tent for two" }]);
await using (var events = new EventBatcher(client))
    await events.AddAsync(new Interaction { UserId = "aot", ItemId = "aot", Type = "view" });
var ranking = await client.RecommendAsync(new RecommendationRequest { History = ["aot"], Filter = Filter.Any(Filter.Number("price", atMost: 10), Filter.Time("released", after: DateTimeOffset.UnixEpoch), Filter.OneOf("aot")) });
var found = await client.SearchAsync([new SearchRequest { Text = "something to cook on" }]);
var scores = await client.ScoreAsync(new ScoreRequest { History = ["aot"], Candidates = ["nothing"] });
var vectors = await client.EmbedTextsAsync(["gas stove"]);
var models = await client.ListModelsAsync();
var model = await client.ShowModelAsync(models.Live!);
var trainings = await client.ListTrainingsAsync();
try
{
    await client.SimilarAsync("nothing");
}
catch (ProblemException problem)
{
    Console.WriteLine($"{problem.Code} {ranking.ModelVersion == models.Live} {found.Results[0].Status} {scores.LeftOut[0].Reason} {vectors.List[0].Vector!.Count} {model.Lineage.Count} {trainings.List.Count}");
}
await client.ForgetUserAsync("aot");
await client.DeleteItemAsync("aot");
await client.DeleteItemAsync("aot-2");
