using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>Every page, on a desk and on a phone, in light and dark.</summary>
[Collection("Dashboard")]
public sealed class PagesTests(DashboardUnderTest dashboard)
{
    /// <summary>Each page with something that is there once it is filled.</summary>
    public static readonly TheoryData<string, string> Pages = new()
    {
        { "#/", "svg.picture" }, { "#/trainings", "figure svg.curve" }, { "#/gate", "article table" }, { "#/models", "table button" }, { "#/letters", "table button" }, { "#/shop", ".products a" },
        { "#/shop/item/p0001", "#item .products a" }, { "#/compare", "select#model-a" }, { "#/variants", "table" }, { "#/nowhere", "main a" },
    };

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_fits_can_be_read_and_says_what_its_parts_are(string hash, string filled)
    {
        foreach (int width in (int[])[Visit.Desktop, Visit.Phone])
        {
            await using Visit visit = await Visit.BeginAsync(dashboard, hash, width);
            await visit.Page.Locator(filled).First.WaitForAsync();
            Assert.Empty(await Looks.TooWideAsync(visit.Page));
            Assert.Empty(await Looks.NamelessAsync(visit.Page));
            Assert.Equal(1, await visit.Page.Locator("h1").CountAsync());
            Assert.NotEqual("BeeFormer.Streaming", await visit.Page.TitleAsync());
            foreach (ColorScheme scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                await visit.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                Assert.Empty(await Looks.PaleAsync(visit.Page));
                await visit.ScreenshotAsync($"{(hash == "#/" ? "pipeline" : hash.Trim('#', '/').Replace('/', '-'))}-{width}-{scheme.ToString().ToLowerInvariant()}");
            }
        }
    }

    [Fact]
    public async Task A_model_a_training_and_a_letter_have_pages_of_their_own()
    {
        foreach (int width in (int[])[Visit.Desktop, Visit.Phone])
        {
            await using Visit visit = await Visit.BeginAsync(dashboard, "#/models", width);
            await FollowAsync(visit, "table a", "Lineage");
            await visit.OpenAsync("#/trainings");
            await FollowAsync(visit, "table a[href*='trainings/'] >> nth=-1", "Decision");
            await visit.OpenAsync("#/letters");
            await FollowAsync(visit, "table a", "Value");
        }
    }

    private static async Task FollowAsync(Visit visit, string link, string heading)
    {
        await visit.Page.Locator(link).First.ClickAsync();
        await visit.Page.GetByRole(AriaRole.Heading, new() { Name = heading }).WaitForAsync();
        Assert.Empty(await Looks.TooWideAsync(visit.Page));
        Assert.Empty(await Looks.NamelessAsync(visit.Page));
        Assert.Empty(await Looks.PaleAsync(visit.Page));
    }

    [Fact]
    public async Task A_training_has_its_curve_and_the_numbers_of_the_gate_in_words_too()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/trainings");
        await visit.Page.Locator("table a[href*='trainings/']").Last.ClickAsync();
        ILocator curve = visit.Page.Locator("main svg.curve[role=img]");
        await curve.WaitForAsync();
        Assert.StartsWith("loss: from ", await curve.Locator("desc").TextContentAsync(), StringComparison.Ordinal);
        int points = (await curve.Locator("polyline").GetAttributeAsync("points"))!.Split(' ').Length;
        Assert.InRange(points, 2, 240);
        await visit.Page.Locator("summary").ClickAsync();
        Assert.Equal(points, await visit.Page.Locator("details tbody tr").CountAsync());
        foreach (string ranking in (string[])["Challenger", "Incumbent", "Popularity", "TF-IDF"]) await visit.Page.GetByRole(AriaRole.Rowheader, new() { Name = ranking, Exact = true }).WaitForAsync();
    }

    [Fact]
    public async Task The_picture_follows_what_flows()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard);
        ILocator says = visit.Page.Locator("svg.picture desc");
        await visit.Page.WaitForFunctionAsync("() => document.querySelector('svg.picture desc')?.textContent.includes('204 items')");
        Task<IJSHandle> grown = visit.Page.WaitForFunctionAsync("() => document.querySelector('svg.picture path.flowing') !== null && !['0/s', '—'].includes(document.querySelector('svg.picture .large').textContent)");
        await dashboard.PostAsync("/v1/events", Enumerable.Range(0, 50).Select(n => new { user_id = $"watcher-{n}", item_id = "p0001", type = "view" }));
        await grown;
        Assert.DoesNotContain("—", await says.TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await visit.Page.Locator(".problem").CountAsync());

        await visit.Page.SetViewportSizeAsync(Visit.Phone, 844);
        await visit.Page.Locator("svg.picture.narrow").WaitForAsync();
        await visit.Page.WaitForFunctionAsync("() => document.querySelector('svg.picture desc').textContent.includes('204 items')");
    }

    [Fact]
    public async Task The_button_changes_the_colours_and_they_stay()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models", dark: true);
        Assert.Equal("rgb(20, 18, 13)", await GroundAsync(visit));
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Light colours" }).ClickAsync();
        Assert.Equal("rgb(250, 248, 243)", await GroundAsync(visit));
        await visit.Page.ReloadAsync();
        await visit.SettledAsync();
        Assert.Equal("rgb(250, 248, 243)", await GroundAsync(visit));
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Dark colours" }).ClickAsync();
        Assert.Equal("rgb(20, 18, 13)", await GroundAsync(visit));
    }

    private static Task<string> GroundAsync(Visit visit) => visit.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");

    [Fact]
    public async Task Nothing_moves_where_that_is_not_wanted()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard);
        await visit.Page.Locator("svg.picture").WaitForAsync();
        const string Moves = "() => { const line = document.querySelector('svg.picture path'); line.classList.add('flowing'); return getComputedStyle(line).animationName; }";
        Assert.Equal("none", await visit.Page.EvaluateAsync<string>(Moves));
        await visit.Page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.NoPreference });
        Assert.Equal("flow", await visit.Page.EvaluateAsync<string>(Moves));
    }
}
