using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class TrainingTests
{
    private static TrainingRecord ARecord(int minute, TrainingState state) => new(Guid.NewGuid(), "head", "interval", state, DateTimeOffset.UnixEpoch.AddMinutes(minute),
        Decision: "Refused: no better.", Metrics: new JsonObject { ["users"] = 7 });

    [Fact]
    public async Task A_training_that_was_asked_for_is_found_at_once_and_told_with_its_policy()
    {
        await using var api = await ApiUnderTest.StartAsync();
        var (status, asked) = await api.PostAsync("/v1/trainings", new { tempo = "encoder", policy = "head_steps: 7" });
        Assert.Equal(HttpStatusCode.Accepted, status);
        var id = asked.GetProperty("training_id").GetGuid();
        Assert.Equal(new TrainEncoder(id, TrainingTempo.Encoder, "manual", "head_steps: 7"), await api.ReceivedAsync());
        var (found, training) = await api.SendAsync(HttpMethod.Get, $"/v1/trainings/{id}");
        Assert.Equal(HttpStatusCode.OK, found);
        Assert.Equal(("queued", "encoder", "manual"), (training.GetProperty("state").GetString(), training.GetProperty("tempo").GetString(), training.GetProperty("reason").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await api.PostAsync("/v1/trainings", new { policy = new string(' ', (1 << 20) + 1) })).Status);
    }

    [Fact]
    public async Task Trainings_are_listed_newest_first_and_shown_with_their_numbers()
    {
        await using var api = await ApiUnderTest.StartAsync();
        TrainingRecord[] records = [ARecord(1, TrainingState.Refused), ARecord(2, TrainingState.Interrupted), ARecord(3, TrainingState.Failed)];
        foreach (TrainingRecord record in records) api.Trainings.Save(record);
        var (_, answer) = await api.SendAsync(HttpMethod.Get, "/v1/trainings");
        Assert.Equal(["failed", "interrupted", "refused"], answer.GetProperty("trainings").EnumerateArray().Select(one => one.GetProperty("state").GetString()!));
        Assert.All(answer.GetProperty("trainings").EnumerateArray(), one => Assert.Equal(JsonValueKind.Null, one.GetProperty("metrics").ValueKind));
        var (_, shown) = await api.SendAsync(HttpMethod.Get, $"/v1/trainings/{records[0].Id}");
        Assert.Equal(7, shown.GetProperty("metrics").GetProperty("users").GetInt32());
        Assert.Equal("Refused: no better.", shown.GetProperty("decision").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, $"/v1/trainings/{Guid.NewGuid()}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "/v1/trainings/..%2Fx")).Status);
    }

    [Fact]
    public async Task A_running_training_tells_its_pace_and_what_it_goes_on_with()
    {
        await using var api = await ApiUnderTest.StartAsync();
        TrainingRecord running = ARecord(1, TrainingState.Running) with { Phase = "train", Fraction = 0.25, ItemsPerSecond = 12.5, EtaSeconds = 30, Continues = Guid.NewGuid() };
        api.Trainings.Save(running);
        var (_, shown) = await api.SendAsync(HttpMethod.Get, $"/v1/trainings/{running.Id}");
        Assert.Equal((12.5, 30.0, running.Continues), (shown.GetProperty("items_per_second").GetDouble(), shown.GetProperty("eta_seconds").GetDouble(), shown.GetProperty("continues").GetGuid()));
    }

    [Fact]
    public async Task Only_what_has_not_ended_is_cancelled()
    {
        await using var api = await ApiUnderTest.StartAsync();
        TrainingRecord running = ARecord(1, TrainingState.Running), ended = ARecord(2, TrainingState.Published);
        foreach (TrainingRecord record in (TrainingRecord[])[running, ended]) api.Trainings.Save(record);
        var (conflict, problem) = await api.SendAsync(HttpMethod.Post, $"/v1/trainings/{ended.Id}/cancel");
        Assert.Equal(HttpStatusCode.Conflict, conflict);
        Assert.Contains("published", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Post, $"/v1/trainings/{Guid.NewGuid()}/cancel")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync(HttpMethod.Post, $"/v1/trainings/{running.Id}/cancel")).Status);
        Assert.Equal(new CancelTraining(running.Id), await api.ReceivedAsync());
    }

    [Fact]
    public async Task Policy_and_wish_to_cancel_stand_in_the_record_whatever_becomes_of_the_messages()
    {
        int attempts = 0;
        await using var api = await ApiUnderTest.StartAsync();
        PublishControlMessage publish = ControlMessages.Over((_, _) => { attempts++; throw new InvalidOperationException("no bus"); }, TimeProvider.System, NullLogger.Instance);
        var asked = await TrainingEndpoints.TrainAsync(new TrainingRequest("encoder", "head_steps: 7"), publish, api.Trainings, TimeProvider.System, api.Services.GetRequiredService<ServingPairs>(), ApiUnderTest.Token);
        Guid id = Assert.IsType<Accepted<TrainingAnswer>>(asked.Result).Value!.TrainingId;
        TrainingRecord record = api.Trainings.Find(id)!;
        Assert.Equal(("encoder", "manual", "head_steps: 7", TrainingState.Queued, false), (record.Tempo, record.Reason, record.Policy, record.State, record.CancelRequested));
        Assert.IsType<Accepted<TrainingDescription>>((await TrainingEndpoints.CancelAsync(id, api.Trainings, publish, ApiUnderTest.Token)).Result);
        Assert.True(api.Trainings.Find(id)!.CancelRequested);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task Who_asks_in_a_loop_is_refused()
    {
        await using var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < TrainingRecord.MostQueued; n++) api.Trainings.Save(ARecord(n, TrainingState.Queued));
        var (status, problem) = await api.PostAsync("/v1/trainings", new { tempo = "head" });
        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_trainings"), (status, problem.GetProperty("code").GetString()));
        Assert.Equal(TrainingRecord.MostQueued, api.Trainings.List().Count);
    }
}
