using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>One of each, in the envelope that goes over RabbitMQ.</summary>
internal sealed record ControlMessage(string Type, object Message, Func<JsonObject> Write, Func<JsonObject, object?> Read)
{
    private static readonly Guid s_training = new("11111111-2222-3333-4444-555555555555");
    private static readonly Fingerprint s_fingerprint = new(string.Concat(Enumerable.Repeat("9f3ab07c", 8)));
    private static readonly ModelVersion s_version = ModelVersion.Of(12, s_fingerprint);

    /// <summary>What older versions wrote must give these, too: new fields get their defaults.</summary>
    public static IReadOnlyList<ControlMessage> All { get; } =
    [
        Of(new TrainEncoder(s_training, TrainingTempo.Encoder, "manual", "seed: 7\n", new Guid("99999999-2222-3333-4444-555555555555"))),
        Of(new CancelTraining(s_training)),
        Of(new TrainingProgressed(s_training, "train", 0.25, 0.5, 1234.5, 60)),
        Of(new EncoderPublished(s_training, s_version, s_fingerprint, "Promoted.")),
        Of(new EncoderRejected(s_training, "Kept.")),
        Of(new ReindexProgressed(s_version, "items-9f3ab07c", 10, 40, 5, 6)),
        Of(new IndexSwitched(s_version, s_fingerprint, "items-9f3ab07c", 3)),
    ];

    private static ControlMessage Of<T>(T message) where T : class => new(typeof(T).Name, message,
        () =>
        {
            JsonObject envelope = JsonNode.Parse(SystemTextJsonMessageSerializer.Instance.GetMessageBody(new MessageSendContext<T>(message)).GetString())!.AsObject();
            envelope["host"] = new JsonObject { ["machineName"] = "machine", ["processName"] = "trainer", ["processId"] = 1 }; // of nobody
            return envelope;
        },
        envelope => SystemTextJsonMessageSerializer.Instance.Deserialize(new StringMessageBody(envelope.ToJsonString()), EmptyHeaders.Instance).TryGetMessage(out T? read) ? read : null);
}
