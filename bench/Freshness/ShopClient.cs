using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Freshness;

/// <summary>What a shop asks of the API.</summary>
internal sealed class ShopClient(string url) : IDisposable
{
    private static readonly ItemText Text = new();
    private readonly HttpClient _http = new() { BaseAddress = new Uri(url) };

    public async Task PutAllAsync(IReadOnlyList<ItemEvent> items)
    {
        foreach (var batch in items.Chunk(500))
        {
            using var body = Json([.. "["u8, .. batch.SelectMany((item, n) => n == 0 ? ItemJson.Record(item).Value! : [.. ","u8, .. ItemJson.Record(item).Value!]), .. "]"u8]);
            using var response = await _http.PostAsync("/v1/items", body);
            response.EnsureSuccessStatusCode();
        }
    }

    public async Task PutAsync(ItemEvent item)
    {
        using var body = Json(ItemJson.Record(item).Value!);
        using var response = await _http.PutAsync($"/v1/items/{Uri.EscapeDataString(item.ItemId.Value)}", body);
        response.EnsureSuccessStatusCode();
    }

    public async Task DeleteAsync(ItemEvent item)
    {
        using var response = await _http.DeleteAsync($"/v1/items/{Uri.EscapeDataString(item.ItemId.Value)}");
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Costs no encoding, so that asking often does not slow down what is waited for.</summary>
    public async Task<bool> IsIndexedAsync(ItemEvent item)
    {
        using var response = await _http.GetAsync($"/v1/items/{Uri.EscapeDataString(item.ItemId.Value)}/similar?k=1");
        return response.StatusCode != HttpStatusCode.NotFound && response.EnsureSuccessStatusCode().IsSuccessStatusCode;
    }

    /// <summary>Searches for what the item says of itself.</summary>
    public async Task<bool> FindsAsync(ItemEvent item)
    {
        using var response = await _http.PostAsJsonAsync("/v1/search", new { text = Text.Of(item), k = 10 });
        var answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        return answer.GetProperty("items").EnumerateArray().Any(found => found.GetProperty("item_id").GetString() == item.ItemId.Value);
    }

    public async Task UntilReadyAsync()
    {
        while (true)
        {
            using var response = await _http.GetAsync("/readyz");
            if (response.IsSuccessStatusCode) return;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Json(byte[] body) => new(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
}
