using System.Text.Json;
using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>Models are taken back, trained and compared from the page.</summary>
[Collection("Dashboard")]
public sealed class ModelsTests(DashboardUnderTest dashboard)
{
    [Fact]
    public async Task Activation_asks_first_and_ends_when_the_answers_come_from_the_model()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        IPage page = visit.Page;
        await page.Locator("table button").First.WaitForAsync();
        string live = await LiveAsync();

        // Once there and once back; the way back without a mouse.
        foreach (bool mouse in (bool[])[true, false])
        {
            ILocator activate = page.Locator("button[id^=activate-]").First;
            string other = (await activate.GetAttributeAsync("id"))!["activate-".Length..];
            await PressAsync(activate);
            await page.GetByRole(AriaRole.Dialog, new() { Name = $"Activate {other}?" }).WaitForAsync();
            Assert.Equal("ask-no", await page.EvaluateAsync<string>("() => document.activeElement.id"));
            await page.Keyboard.PressAsync("Escape");
            await page.Locator("#ask-dialog").WaitForAsync(new() { State = WaitForSelectorState.Hidden });
            Assert.Equal(live, await LiveAsync());

            await PressAsync(activate);
            if (!mouse) await page.Keyboard.PressAsync("Shift+Tab");
            await PressAsync(page.Locator("#ask-yes"));
            await page.GetByText($"Answers come from {other} now.").First.WaitForAsync();
            Assert.Equal($"Answers come from {other} now.", await page.Locator("#news").TextContentAsync());
            Assert.Equal(other, live = await LiveAsync());
            await page.Locator("tr", new() { Has = page.GetByText("live", new() { Exact = true }), HasText = other }).WaitForAsync();

            async Task PressAsync(ILocator button)
            {
                if (mouse) await button.ClickAsync();
                else await button.PressAsync("Enter");
            }
        }
    }

    private async Task<string> LiveAsync() => (await dashboard.GetAsync("/v1/models")).GetProperty("live").GetString()!;

    [Fact]
    public async Task A_refused_activation_is_said_in_a_sentence()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        await visit.Page.RouteAsync("**/activate", route => route.FulfillAsync(new()
        {
            Status = 409, ContentType = "application/problem+json", Body = JsonSerializer.Serialize(new { title = "Conflict", detail = "It was <b>not</b> activated: it does not load." }),
        }));
        await visit.Page.Locator("button[id^=activate-]").First.ClickAsync();
        await visit.Page.Locator("#ask-yes").ClickAsync();
        Assert.Equal("It was <b>not</b> activated: it does not load.", await visit.Page.GetByRole(AriaRole.Alert).TextContentAsync());
    }

    [Fact]
    public async Task A_training_that_is_asked_for_is_followed_to_its_end()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/trainings");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Train now" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "follow it" }).ClickAsync();
        await visit.Page.WaitForFunctionAsync("() => /published|refused|skipped/.test(document.querySelector('main .badge')?.textContent)");
        Assert.Equal(0, await visit.Page.Locator("#cancel-training").CountAsync());
        Assert.NotEqual("Not decided yet.", await visit.Page.Locator("main .card").Last.Locator("p").First.TextContentAsync());
    }

    [Fact]
    public async Task Two_models_answer_one_question_side_by_side()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/compare");
        IPage page = visit.Page;
        await page.GetByLabel("Search for").FillAsync("kettle");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("items are in both answers").WaitForAsync();
        ILocator columns = page.Locator("section[aria-label^='Answer of model']");
        Assert.Equal(2, await columns.CountAsync());
        var answers = new List<IReadOnlyList<string>>();
        for (int n = 0; n < 2; n++) answers.Add(await columns.Nth(n).Locator("a").AllTextContentsAsync());
        Assert.All(answers, answer => Assert.Equal(10, answer.Count));
        Assert.NotEqual(answers[0], answers[1]);
        Assert.NotEqual(await columns.Nth(0).Locator("h2").TextContentAsync(), await columns.Nth(1).Locator("h2").TextContentAsync());
        Assert.Contains($"{answers[0].Intersect(answers[1]).Count()} items are in both answers", await page.GetByText("items are in both answers").TextContentAsync(), StringComparison.Ordinal);
        await visit.ScreenshotAsync("compared");

        await page.SetViewportSizeAsync(Visit.Phone, 844);
        Assert.Empty(await Looks.TooWideAsync(page));
    }
}
