using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace BeeFormer.Streaming.Client;

/// <summary>
/// A server of BeeFormer.Streaming. Safe for several threads; one for a process is enough. Every call throws <see cref="ProblemException"/> where the server refuses and <see cref="NoAnswerException"/>
/// where no answer comes. What does the same when it is done twice is repeated while the failure may pass: all but <see cref="ActivateModelAsync"/>, <see cref="StartTrainingAsync"/> and
/// <see cref="CancelTrainingAsync"/>, which are sent once.
/// </summary>
public sealed class BeeFormerClient : IDisposable
{
    private readonly Transport _transport;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public BeeFormerClient(BeeFormerClientOptions options) : this(options, null) { }

    /// <param name="options">Which server, and how patiently it is asked.</param>
    /// <param name="http">Sends the requests, and stays the caller's: it is not disposed. Null: one of its own.</param>
    /// <param name="time">For time limits, waits and the times of events. Null: the system's.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public BeeFormerClient(BeeFormerClientOptions options, HttpClient? http, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _transport = new Transport(options, http, time ?? TimeProvider.System);
    }

    internal TimeProvider Time => _transport.Time;

    /// <summary>Items that a user, or a history of items, is likely to want next.</summary>
    public Task<Ranking> RecommendAsync(RecommendationRequest request, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/recommendations", request, WireJson.Default.RecommendationRequest, WireJson.Default.Ranking, cancellationToken);

    /// <summary>Several such requests (the server takes 100), all answered by the same model; each gets its own verdict.</summary>
    public Task<Rankings> RecommendAsync(IReadOnlyList<RecommendationRequest> requests, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/recommendations/batch", new Several<RecommendationRequest>(requests), WireJson.Default.Recommendations, WireJson.Default.Rankings, cancellationToken);

    /// <summary>Items most similar to an item.</summary>
    public Task<Ranking> SimilarAsync(string itemId, SimilarRequest? request = null, CancellationToken cancellationToken = default) =>
        PostAsync($"/v1/items/{Escaped(itemId)}/similar", request ?? new SimilarRequest(), WireJson.Default.SimilarRequest, WireJson.Default.Ranking, cancellationToken);

    /// <summary>Items that match a text by meaning.</summary>
    public Task<Ranking> SearchAsync(SearchRequest request, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/search", request, WireJson.Default.SearchRequest, WireJson.Default.Ranking, cancellationToken);

    /// <summary>Several searches (the server takes 100), all answered by the same model; each gets its own verdict.</summary>
    public Task<Rankings> SearchAsync(IReadOnlyList<SearchRequest> requests, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/search/batch", new Several<SearchRequest>(requests), WireJson.Default.Searches, WireJson.Default.Rankings, cancellationToken);

    /// <summary>Ranks given items for a user or a history, and names those that are unknown or hidden.</summary>
    public Task<Scores> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/score", request, WireJson.Default.ScoreRequest, WireJson.Default.Scores, cancellationToken);

    /// <summary>Vectors of texts (the server takes 100), embedded as searches are.</summary>
    public Task<Embeddings> EmbedTextsAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => EmbedAsync(new EmbeddingRequest(Texts: texts), cancellationToken);

    /// <summary>The vectors that the index holds of items (the server takes 100).</summary>
    public Task<Embeddings> EmbedItemsAsync(IReadOnlyList<string> itemIds, CancellationToken cancellationToken = default) => EmbedAsync(new EmbeddingRequest(ItemIds: itemIds), cancellationToken);

    /// <summary>The vector that a user's recommendations are looked for with.</summary>
    public Task<Embeddings> EmbedUserAsync(string userId, CancellationToken cancellationToken = default) => EmbedAsync(new EmbeddingRequest(UserId: userId), cancellationToken);

    /// <summary>Describes an item; replaces what was known of it.</summary>
    public Task<ItemResult> PutItemAsync(Item item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        return _transport.SendAsync(_transport.Retried, HttpMethod.Put, $"/v1/items/{Escaped(item.ItemId)}", JsonSerializer.SerializeToUtf8Bytes(item, WireJson.Default.Item), WireJson.Default.ItemResult, cancellationToken);
    }

    /// <summary>Describes many items (the server takes 10,000); each gets its own verdict. A batch of which nothing is acceptable is a <see cref="ProblemException"/> with the verdicts.</summary>
    public Task<BatchResult> PutItemsAsync(IReadOnlyList<Item> items, CancellationToken cancellationToken = default) =>
        PostAsync("/v1/items", items, WireJson.Default.Items, WireJson.Default.BatchResult, cancellationToken);

    /// <summary>An item as the index in service holds it; one that is not there (yet), deleted or not available is a <see cref="ProblemException"/> of status 404.</summary>
    public Task<IndexedItem> GetItemAsync(string itemId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Get, $"/v1/items/{Escaped(itemId)}", null, WireJson.Default.IndexedItem, cancellationToken);

    /// <summary>Deletes an item; one that is not there is fine.</summary>
    public Task<ItemResult> DeleteItemAsync(string itemId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Delete, $"/v1/items/{Escaped(itemId)}", null, WireJson.Default.ItemResult, cancellationToken);

    /// <summary>
    /// Sends interactions (the server takes 10,000); each gets its own verdict, accepted ones are durable. Those without an id or a time get one, so each counts once however often it is sent. A batch of
    /// which nothing is acceptable is a <see cref="ProblemException"/> with the verdicts. To send one at a time, see <see cref="EventBatcher"/>.
    /// </summary>
    public Task<BatchResult> SendEventsAsync(IReadOnlyList<Interaction> events, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        return SendEventsAsync(_transport.Retried, [.. events.Select(one => one.Identified(Time))], cancellationToken);
    }

    /// <summary>One attempt, for who repeats on their own; the events have ids.</summary>
    internal Task<BatchResult> SendEventsOnceAsync(IReadOnlyList<Interaction> events, CancellationToken cancellationToken) => SendEventsAsync(_transport.Single, events, cancellationToken);

    /// <summary>Forgets a user everywhere: the request is durable, <see cref="FindErasureAsync"/> tells when it is done.</summary>
    public Task<ForgottenUser> ForgetUserAsync(string userId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Delete, $"/v1/users/{Escaped(userId)}", null, WireJson.Default.ForgottenUser, cancellationToken);

    /// <summary>Looks through every store for a user and says what still holds something. Takes seconds to minutes.</summary>
    public Task<Erasure> FindErasureAsync(string userId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.LongRetried, HttpMethod.Get, $"/v1/users/{Escaped(userId)}/erasure", null, WireJson.Default.Erasure, cancellationToken);

    /// <summary>Published models, refused challengers, and the one in service.</summary>
    public Task<Models> ListModelsAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Get, "/v1/models", null, WireJson.Default.Models, cancellationToken);

    /// <summary>One model with its files and its lineage; every file is compared with what was published.</summary>
    public Task<ModelDetails> ShowModelAsync(string version, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.LongRetried, HttpMethod.Get, $"/v1/models/{Escaped(version)}", null, WireJson.Default.ModelDetails, cancellationToken);

    /// <summary>Makes a published version live again (rollback). Sent once.</summary>
    public Task<Activation> ActivateModelAsync(string version, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.LongSingle, HttpMethod.Post, $"/v1/models/{Escaped(version)}/activate", null, WireJson.Default.Activation, cancellationToken);

    /// <summary>The policies that users are served by side by side, and what came of each of late, as the process that answers has seen it.</summary>
    public Task<Variants> ListVariantsAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Get, "/v1/variants", null, WireJson.Default.Variants, cancellationToken);

    /// <summary>Asks for a training on what was collected until now. Sent once.</summary>
    public Task<StartedTraining> StartTrainingAsync(TrainingRequest? request = null, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Single, HttpMethod.Post, "/v1/trainings", JsonSerializer.SerializeToUtf8Bytes(request ?? new TrainingRequest(), WireJson.Default.TrainingRequest), WireJson.Default.StartedTraining, cancellationToken);

    /// <summary>Trainings that wait, run or have ended, newest first.</summary>
    public Task<Trainings> ListTrainingsAsync(CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Get, "/v1/trainings", null, WireJson.Default.Trainings, cancellationToken);

    /// <summary>How far a training is, or how it ended.</summary>
    public Task<Training> ShowTrainingAsync(Guid trainingId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Retried, HttpMethod.Get, $"/v1/trainings/{trainingId}", null, WireJson.Default.Training, cancellationToken);

    /// <summary>Ends a training that waits or runs; nothing is changed by it. Sent once.</summary>
    public Task<Training> CancelTrainingAsync(Guid trainingId, CancellationToken cancellationToken = default) =>
        _transport.SendAsync(_transport.Single, HttpMethod.Post, $"/v1/trainings/{trainingId}/cancel", null, WireJson.Default.Training, cancellationToken);

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _transport.Dispose();

    private Task<Embeddings> EmbedAsync(EmbeddingRequest request, CancellationToken cancellationToken) =>
        PostAsync("/v1/embeddings", request, WireJson.Default.EmbeddingRequest, WireJson.Default.Embeddings, cancellationToken);

    private Task<BatchResult> SendEventsAsync(Patience patience, IReadOnlyList<Interaction> events, CancellationToken cancellationToken) =>
        _transport.SendAsync(patience, HttpMethod.Post, "/v1/events", JsonSerializer.SerializeToUtf8Bytes(events, WireJson.Default.Interactions), WireJson.Default.BatchResult, cancellationToken);

    /// <summary>For questions, and for what is the same when it is done twice.</summary>
    private Task<TAnswer> PostAsync<TRequest, TAnswer>(string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _transport.SendAsync(_transport.Retried, HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(request, requestType), answerType, cancellationToken);
    }

    private static string Escaped(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return Uri.EscapeDataString(id);
    }
}
