using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>One browser window of its own. At the end: nothing was asked of another host, nothing was hacked, no script failed.</summary>
internal sealed class Visit : IAsyncDisposable
{
    public const int Desktop = 1280, Phone = 390;

    private readonly IBrowserContext context;
    private readonly List<string> failures = [];

    private Visit(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    public static async Task<Visit> BeginAsync(DashboardUnderTest dashboard, string hash = "#/", int width = Desktop, bool dark = false)
    {
        if (dashboard.Absent is { } why)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(why);
            Assert.Skip(why);
        }
        IBrowserContext context = await dashboard.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 844 }, ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(120_000); // for machines that are very busy
        var visit = new Visit(context, await context.NewPageAsync());
        string host = new Uri(dashboard.Url).Authority;
        await context.RouteAsync("**/*", route =>
        {
            if (new Uri(route.Request.Url).Authority == host) return route.ContinueAsync();
            visit.Fail($"asked another host: {route.Request.Url}");
            return route.AbortAsync();
        });
        visit.Page.PageError += (_, error) => visit.Fail($"script failed: {error}");
        visit.Page.Console += (_, message) =>
        {
            // A refusal of the API is said in the page; the browser notes it here as well.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) visit.Fail($"console: {message.Text}");
        };
        await visit.Page.GotoAsync($"{dashboard.Url}/{hash}");
        return visit;
    }

    public async Task OpenAsync(string hash)
    {
        await Page.EvaluateAsync("hash => { location.hash = hash; }", hash);
        await SettledAsync();
    }

    /// <summary>Waits until the page shows what it is about.</summary>
    public Task SettledAsync() => Page.Locator("main h1").WaitForAsync();

    public async Task ScreenshotAsync(string name)
    {
        string folder = Path.Combine(Root(), "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }

    /// <summary>What the browser has noted of refusals that the test provoked.</summary>
    public void ForgetConsole()
    {
        lock (failures) failures.RemoveAll(failure => failure.StartsWith("console: ", StringComparison.Ordinal));
    }

    private void Fail(string what)
    {
        lock (failures) failures.Add(what);
    }

    public async ValueTask DisposeAsync()
    {
        bool hacked = await Page.EvaluateAsync<bool>("() => 'hacked' in window");
        await context.DisposeAsync();
        Assert.False(hacked, "A text from outside was executed.");
        lock (failures) Assert.Empty(failures);
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "BeeFormer.Streaming.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("No folder above the tests holds BeeFormer.Streaming.sln.");
    }
}
