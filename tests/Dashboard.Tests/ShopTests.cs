using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>The shop to try: search, items, and a visitor whose recommendations follow the clicks.</summary>
[Collection("Dashboard")]
public sealed class ShopTests(DashboardUnderTest dashboard)
{
    [Theory]
    [InlineData(Visit.Desktop)]
    [InlineData(Visit.Phone)]
    public async Task Recommendations_change_with_each_click(int width)
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/shop", width);
        IPage page = visit.Page;
        await page.GetByText("popular items").WaitForAsync();
        IReadOnlyList<string> popular = await RecommendedAsync(page);

        await page.GetByLabel("What are you looking for?").FillAsync("kettle");
        await page.Keyboard.PressAsync("Enter");
        ILocator results = page.GetByRole(AriaRole.Region, new() { Name = "Search results" });
        await results.Locator("a").First.WaitForAsync();
        string first = (await results.Locator("a").First.TextContentAsync())!;
        await results.Locator("a").First.ClickAsync();
        await page.GetByText("From 1 click,").WaitForAsync();
        Assert.Equal("item-name", await page.EvaluateAsync<string>("() => document.activeElement.id"));
        Assert.Equal(first, await page.Locator("#item-name").TextContentAsync());
        await page.Locator("#item .products a").First.WaitForAsync();
        IReadOnlyList<string> afterOne = await RecommendedAsync(page);
        Assert.NotEqual(popular, afterOne);
        Assert.DoesNotContain(first, afterOne);
        Assert.Contains($"because of {first}", await page.Locator("#recommended small").First.TextContentAsync(), StringComparison.Ordinal);

        await page.Locator("#recommended .products a").Last.ClickAsync();
        await page.GetByText("From 2 clicks").WaitForAsync();
        IReadOnlyList<string> afterTwo = await RecommendedAsync(page);
        Assert.NotEqual(afterOne, afterTwo);
        Assert.StartsWith("Recommendations: ", await page.Locator("#news").TextContentAsync(), StringComparison.Ordinal);
        await visit.ScreenshotAsync($"shop-clicked-{width}");
        Assert.Empty(await Looks.TooWideAsync(page));

        await page.GetByRole(AriaRole.Button, new() { Name = "New visitor" }).ClickAsync();
        await page.GetByText("popular items").WaitForAsync();
        Assert.Equal(popular, await RecommendedAsync(page));
    }

    private static Task<IReadOnlyList<string>> RecommendedAsync(IPage page) => page.Locator("#recommended .products a").AllTextContentsAsync();

    [Fact]
    public async Task A_visitor_whose_clicks_are_events_is_known_to_the_whole_pipeline()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/shop/item/p0002");
        IPage page = visit.Page;
        await page.GetByText("From 1 click,").WaitForAsync();
        await page.GetByLabel("Send the clicks as events").CheckAsync();
        await page.GetByText("The user is visitor-").WaitForAsync();
        string user = (await page.GetByText("The user is visitor-").TextContentAsync())!["The user is ".Length..].TrimEnd('.');
        await page.Locator("#recommended .products a").First.ClickAsync();
        await page.GetByText("From 2 clicks").WaitForAsync();

        // The click has gone through log, Ingest and profiles when the answer to anybody else says so.
        await page.WaitForFunctionAsync("""
            async user => {
              const answer = await fetch('v1/recommendations', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user_id: user, k: 100, explain: true }) });
              return new Set((await answer.json()).items.map(item => item.because?.item_id)).size === 2;
            }
            """, user);
    }

    [Fact]
    public async Task Hostile_titles_and_ids_are_text_everywhere()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/shop");
        IPage page = visit.Page;
        foreach ((string id, string title) in DashboardUnderTest.Hostile)
        {
            await page.GetByLabel("What are you looking for?").FillAsync(title);
            await page.Keyboard.PressAsync("Enter");
            await page.WaitForFunctionAsync("title => [...document.querySelectorAll('.products a')].some(link => link.textContent === title)", title);
            await page.EvaluateAsync("title => [...document.querySelectorAll('.products a')].find(link => link.textContent === title).click()", title);
            await page.WaitForFunctionAsync("title => document.getElementById('item-name')?.textContent === title", title);
            await page.Locator("#item .products a").First.WaitForAsync();
            await page.GetByText($"Item {id}", new() { Exact = true }).WaitForAsync();
            Assert.Empty(await Looks.TooWideAsync(page));
        }
        await page.SetViewportSizeAsync(Visit.Phone, 844);
        Assert.Empty(await Looks.TooWideAsync(page));
        Assert.Equal(0, await page.Locator("main img, main script, main iframe").CountAsync());

        await visit.OpenAsync("#/compare");
        await page.Locator("#compare-item").ClickAsync();
        await page.GetByText("items are in both answers").WaitForAsync();
        await visit.OpenAsync($"#/{Uri.EscapeDataString("<img src=x onerror=window.hacked=1>")}");
        await visit.OpenAsync($"#/shop/item/{Uri.EscapeDataString("<img src=x onerror=window.hacked=1>")}");
        await page.GetByText("There is no item <img").WaitForAsync();
        Assert.Equal(0, await page.Locator("main img").CountAsync());
    }
}
