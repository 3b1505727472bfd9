using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>What goes over the wire, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RecommendationRequest))]
[JsonSerializable(typeof(SimilarRequest))]
[JsonSerializable(typeof(SearchRequest))]
[JsonSerializable(typeof(Several<RecommendationRequest>), TypeInfoPropertyName = "Recommendations")]
[JsonSerializable(typeof(Several<SearchRequest>), TypeInfoPropertyName = "Searches")]
[JsonSerializable(typeof(ScoreRequest))]
[JsonSerializable(typeof(EmbeddingRequest))]
[JsonSerializable(typeof(Item))]
[JsonSerializable(typeof(IReadOnlyList<Item>), TypeInfoPropertyName = "Items")]
[JsonSerializable(typeof(IReadOnlyList<Interaction>), TypeInfoPropertyName = "Interactions")]
[JsonSerializable(typeof(TrainingRequest))]
[JsonSerializable(typeof(Ranking))]
[JsonSerializable(typeof(Rankings))]
[JsonSerializable(typeof(Scores))]
[JsonSerializable(typeof(Embeddings))]
[JsonSerializable(typeof(BatchResult))]
[JsonSerializable(typeof(ItemResult))]
[JsonSerializable(typeof(IndexedItem))]
[JsonSerializable(typeof(ForgottenUser))]
[JsonSerializable(typeof(Erasure))]
[JsonSerializable(typeof(Models))]
[JsonSerializable(typeof(ModelDetails))]
[JsonSerializable(typeof(Activation))]
[JsonSerializable(typeof(Variants))]
[JsonSerializable(typeof(StartedTraining))]
[JsonSerializable(typeof(Trainings))]
[JsonSerializable(typeof(Training))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class WireJson : JsonSerializerContext;

internal sealed record Several<T>(IReadOnlyList<T> Requests);

internal sealed record ProblemBody(string? Code = null, string? Detail = null, string? Field = null, string? TraceId = null, IReadOnlyList<Verdict>? Verdicts = null);
