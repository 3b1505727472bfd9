using System.Text.Json;
using System.Text.Json.Serialization;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What an interrupted training of the encoder was, and how far it had come. Frozen names; may grow.</summary>
/// <param name="Live">Version of the model that it began to improve.</param>
/// <param name="Start">Fingerprint of the encoder that it began with.</param>
/// <param name="WindowHash">Content of <paramref name="Query"/>'s window.</param>
/// <param name="Query">Reads the same window once more: its offsets are fixed.</param>
/// <param name="ItemOffsets">Read the same catalogue once more.</param>
/// <param name="CatalogueHash">Of ids and texts with their attributes.</param>
/// <param name="Policy">The policy that it began with, whatever the configuration says by now.</param>
/// <param name="Elapsed">Time that it had run.</param>
/// <param name="Ended">The encoder was learned; what followed was not done.</param>
internal sealed record CheckpointedTraining(
    Guid TrainingId, string Live, string Start, string WindowHash, WindowQuery Query, IReadOnlyDictionary<int, long> ItemOffsets, string CatalogueHash, TrainingPolicy Policy,
    EncoderCounters Counters, TimeSpan Elapsed, bool Ended, EarlyStoppingState? Validation)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">It is something else.</exception>
    public static CheckpointedTraining Parse(string json) => JsonSerializer.Deserialize<CheckpointedTraining>(json, Json) ?? throw new JsonException("expected an object, found null");
}
