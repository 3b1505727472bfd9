using System.Net.Http.Json;
using System.Text.Json;

namespace BeeFormer.Streaming.Serving;

/// <summary>A training of the head that learns for longer than anything here is measured, and is cancelled then.</summary>
internal sealed class Training(HttpClient http, string id)
{
    /// <summary>Returns when it has begun to learn: what is read before that is another load.</summary>
    public static async Task<Training> StartAsync(HttpClient http)
    {
        using var asked = await http.PostAsJsonAsync("/v1/trainings", new { tempo = "head", policy = "head_steps: 1000000\nwarm_start: base\n" });
        var answer = await asked.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        var training = new Training(http, answer.GetProperty("training_id").GetString()!);
        while ((await training.LookAsync()).GetProperty("loss").ValueKind != JsonValueKind.Number) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        return training;
    }

    public async Task CancelAsync()
    {
        await LookAsync();
        using var cancelled = await http.PostAsync($"/v1/trainings/{id}/cancel", null);
        cancelled.EnsureSuccessStatusCode();
    }

    private async Task<JsonElement> LookAsync()
    {
        var training = await http.GetFromJsonAsync<JsonElement>($"/v1/trainings/{id}");
        string state = training.GetProperty("state").GetString()!;
        return state is "queued" or "running" ? training : throw new InvalidDataException($"The training is {state}: {training.GetProperty("decision")}");
    }
}
