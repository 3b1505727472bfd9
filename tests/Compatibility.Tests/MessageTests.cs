using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>Messages of older versions, as they lie in topics and queues: the bytes are the same in the embedded log and on Kafka.</summary>
public sealed class MessageTests
{
    public static TheoryData<string> Versions => Recording.Versions;

    /// <param name="version">Recorded.</param>
    [Theory, MemberData(nameof(Versions))]
    public void Records_say_what_the_window_and_the_catalogue_were_made_of(string version)
    {
        var recording = new Recording(version);
        Assert.Equal(Read(recording.Lines("log.jsonl")), Read(recording.Lines("log.jsonl").Select(Grown)));
        (int events, int items, int letters, int deletions) = Count(Read(recording.Lines("log.jsonl")));
        JsonNode windows = recording.Read("expected.json")["contents"]!["windows"]!;
        Assert.Equal((long)windows["stored"]!, events);
        Assert.Equal(windows["catalogue"]!.AsArray().Count, items - deletions);
        Assert.Equal((1, 1), (letters, deletions));
    }

    [Theory, MemberData(nameof(Versions))]
    public void Control_messages_say_what_they_said(string version)
    {
        JsonObject[] lines = [.. new Recording(version).Lines("control-messages.jsonl")];
        Assert.True(lines.Length >= 7);
        foreach (JsonObject line in lines)
        {
            ControlMessage message = ControlMessage.All.Single(one => one.Type == (string)line["type"]!);
            JsonObject envelope = line["envelope"]!.AsObject();
            Assert.Equal(message.Message, message.Read(envelope));
            envelope["ofTomorrow"] = 1;
            envelope["message"]!["ofTomorrow"] = new JsonObject { ["list"] = new JsonArray(1) };
            Assert.Equal(message.Message, message.Read(envelope));
        }
    }

    private static (int Events, int Items, int Letters, int Deletions) Count(List<string> read) =>
        (read.Count(one => one.StartsWith("interaction ", StringComparison.Ordinal)), read.Count(one => one.StartsWith("item ", StringComparison.Ordinal)),
            read.Count(one => one.StartsWith("letter ", StringComparison.Ordinal)), read.Count(one => one.StartsWith("deleted ", StringComparison.Ordinal)));

    private static List<string> Read(IEnumerable<JsonObject> lines)
    {
        List<string> read = [];
        foreach (JsonObject line in lines)
        {
            LogMessage message = Message(line);
            switch ((string)line["topic"]!)
            {
                case Topics.Interactions when message.Value is null:
                    Assert.True(InteractionJson.TryReadKey(message.Key.Span, out UserId user, out _));
                    read.Add($"forgotten {user}");
                    break;
                case Topics.Interactions:
                    read.Add(InteractionMessage.TryRead(message, TimeSpan.FromMinutes(5), out var interaction, out var rejection) ? $"interaction {interaction}" : $"refused {rejection}");
                    break;
                case Topics.Items when message.Value is null:
                    Assert.True(ItemJson.TryReadKey(message.Key.Span, out ItemId item, out _));
                    read.Add($"deleted {item}");
                    break;
                case Topics.Items:
                    Assert.True(ItemMessage.TryRead(message, TimeSpan.FromMinutes(5), out var described, out var wrong), wrong?.ToString());
                    read.Add($"item {described with { Attributes = new Dictionary<string, System.Text.Json.JsonElement>() }} {string.Join(',', described.Attributes.Select(attribute => $"{attribute.Key}={attribute.Value}"))}");
                    break;
                default:
                    Assert.True(DeadLetterJson.TryRead(message.Value!.Value, out DeadLetter? letter));
                    read.Add($"letter {DeadLetterJson.Identity(letter)} {letter.Reason} {letter.Message} {Convert.ToBase64String(letter.Value!)} {letter.Headers?[0].Name}");
                    break;
            }
        }
        return read;
    }

    private static LogMessage Message(JsonObject line) => new((int)line["partition"]!, (long)line["offset"]!, (long)line["timestamp"]!, Convert.FromBase64String((string)line["key"]!),
        line["value"] is { } value ? new ReadOnlyMemory<byte>(Convert.FromBase64String((string)value!)) : (ReadOnlyMemory<byte>?)null,
        [.. line["headers"]!.AsArray().Select(header => new LogHeader((string)header!["name"]!, Convert.FromBase64String((string)header["value"]!)))]);

    /// <summary>As a newer version may write it: with one more field and one more header.</summary>
    private static JsonObject Grown(JsonObject line)
    {
        line["headers"]!.AsArray().Add(new JsonObject { ["name"] = "of-tomorrow", ["value"] = "AQID" });
        if (line["value"] is not { } value) return line;
        JsonObject json = JsonNode.Parse(Convert.FromBase64String((string)value!))!.AsObject();
        json.Insert(0, "of_tomorrow", new JsonObject { ["list"] = new JsonArray(1, "two") });
        line["value"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })));
        return line;
    }
}
