using System.Text.Json;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>The variants with what came of each.</summary>
[Collection("Dashboard")]
public sealed class VariantsTests(DashboardUnderTest dashboard)
{
    [Theory]
    [InlineData(Visit.Desktop)]
    [InlineData(Visit.Phone)]
    public async Task Variants_are_shown_with_what_is_counted_and_how_sure_it_is(int width)
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/variants", width);
        await visit.Page.Locator("table").WaitForAsync();
        Assert.Equal(["control", "popular-first"], await visit.Page.Locator("tbody th").AllTextContentsAsync());
        await visit.Page.GetByText("Model 0.5, Popularity 2").WaitForAsync();

        string user = $"looks-{width}";
        await dashboard.PostAsync("/v1/recommendations", new { user_id = user, k = 5 });
        await dashboard.PostAsync("/v1/events", Enumerable.Range(1, 200).Select(n => new { user_id = user, item_id = $"p{n:D4}", type = "view" })); // all that there is, so what was shown is among them
        await visit.Page.WaitForFunctionAsync("() => [...document.querySelectorAll('td[data-label=\"Click-through\"]')].some(cell => /^0\\.\\d{4} \\(0\\.\\d{4} to [01]\\.\\d{4}\\)$|^1\\.0000 \\(0\\.\\d{4} to 1\\.0000\\)$/.test(cell.textContent))");
        Assert.Empty(await Looks.TooWideAsync(visit.Page));
        Assert.Empty(await Looks.PaleAsync(visit.Page));
        await visit.ScreenshotAsync($"variants-counted-{width}");

        JsonElement answer = await dashboard.GetAsync("/v1/variants");
        Assert.True(answer.GetProperty("variants").EnumerateArray().Sum(variant => variant.GetProperty("clicks").GetInt64()) >= 5);
    }
}
