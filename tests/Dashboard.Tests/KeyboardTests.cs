using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>Everything without a mouse.</summary>
[Collection("Dashboard")]
public sealed class KeyboardTests(DashboardUnderTest dashboard)
{
    [Theory]
    [MemberData(nameof(PagesTests.Pages), MemberType = typeof(PagesTests))]
    public async Task The_tab_key_reaches_everything_shows_where_it_is_and_gets_out_again(string hash, string filled)
    {
        foreach (int width in (int[])[Visit.Desktop, Visit.Phone])
        {
            await using Visit visit = await Visit.BeginAsync(dashboard, hash, width);
            await visit.Page.Locator(filled).First.WaitForAsync();
            (int stops, IReadOnlyList<string> problems) = await Looks.WalkAsync(visit.Page);
            Assert.Empty(problems);
            Assert.InRange(stops, 12, 300); // the skip link, eight pages, two buttons, two links at the end
        }
    }

    [Fact]
    public async Task The_first_stop_skips_to_the_content()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        await visit.Page.Locator("table button").First.WaitForAsync();
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("skip", await FocusedAsync(visit));
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("main", await FocusedAsync(visit));
        Assert.EndsWith("#/models", visit.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_opens_another_page_is_told_where_he_is()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        await visit.SettledAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Gate", Exact = true }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.WaitForFunctionAsync("() => document.activeElement.tagName === 'H1' && document.activeElement.textContent === 'Decisions of the gate'");
        Assert.Equal("Gate", await visit.Page.Locator("nav [aria-current=page]").TextContentAsync());
    }

    [Fact]
    public async Task The_dialog_has_the_focus_closes_with_escape_and_gives_it_back()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        await visit.Page.Locator("#key").FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("key-value", await FocusedAsync(visit));
        for (int n = 0; n < 3; n++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            Assert.True(await visit.Page.EvaluateAsync<bool>("() => document.activeElement === document.body || document.getElementById('key-dialog').contains(document.activeElement)"));
        }
        await visit.Page.Keyboard.PressAsync("Escape");
        Assert.Equal("key", await FocusedAsync(visit));
    }

    private static Task<string> FocusedAsync(Visit visit) => visit.Page.EvaluateAsync<string>("() => document.activeElement.id");
}
