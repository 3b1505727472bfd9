using System.Net;
using System.Text.Json;
using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>What the server sends along, and what the page makes of a server that refuses, wants a key or is gone.</summary>
[Collection("Dashboard")]
public sealed class ServerTests(DashboardUnderTest dashboard)
{
    [Fact]
    public async Task The_policy_keeps_everything_from_outside_out_and_text_from_becoming_markup()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/models");
        await visit.SettledAsync();
        // Each of these has to fail; the console says so, which is no failure of the page.
        string[] outcomes = await visit.Page.EvaluateAsync<string[]>("""
            async () => {
              await new Promise(next => setTimeout(next)); // what a driver runs directly is let through more easily
              const outcome = async what => { try { await what(); return 'done'; } catch (refusal) { return refusal.name; } };
              const loads = element => new Promise((done, fail) => { element.onload = done; element.onerror = () => fail(new TypeError()); document.body.append(element); });
              return [
                await outcome(() => { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); }),
                await outcome(() => { document.createElement('p').innerHTML = '<b>x</b>'; }),
                await outcome(() => { new Function('window.hacked = 1')(); }),
                await outcome(() => loads(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: 'data:text/css,body{}' }))),
                await outcome(() => loads(Object.assign(document.createElement('img'), { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' }))),
                await outcome(() => fetch('data:text/plain,x')),
              ];
            }
            """);
        visit.ForgetConsole();
        Assert.Equal(["TypeError", "TypeError", "EvalError", "TypeError", "TypeError", "TypeError"], outcomes);
    }

    [Fact]
    public async Task Files_come_with_a_tag_and_only_when_they_have_changed()
    {
        if (dashboard.Absent is not null) Assert.Skip(dashboard.Absent);
        foreach (string path in (string[])["/", "/dashboard/app.js", "/dashboard/style.css", "/dashboard/bee.svg"])
        {
            using HttpResponseMessage first = await dashboard.Client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Contains("default-src 'self'", first.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", first.Headers.GetValues("X-Content-Type-Options").Single());
            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using HttpResponseMessage second = await dashboard.Client.SendAsync(again, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        }
        using HttpResponseMessage other = await dashboard.Client.GetAsync("/dashboard/../appsettings.json", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task A_key_is_asked_for_once_used_everywhere_and_kept_in_this_tab_alone()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/nowhere");
        IPage page = visit.Page;
        await page.RouteAsync("**/v1/**", async route => await (route.Request.Headers.GetValueOrDefault("authorization") == "Bearer s3cret" ? route.FallbackAsync()
            : route.FulfillAsync(new() { Status = 401, ContentType = "application/problem+json", Body = JsonSerializer.Serialize(new { title = "Unauthorized" }) })));
        await visit.OpenAsync("#/models");
        ILocator dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "API key" });
        await dialog.WaitForAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Alert).GetByText("This needs an API key").WaitForAsync();
        await visit.OpenAsync("#/gate");
        await page.GetByRole(AriaRole.Alert).GetByText("This needs an API key").WaitForAsync();
        Assert.False(await dialog.IsVisibleAsync());

        await page.Locator("#key").ClickAsync();
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("wrong");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("The server does not know this key.").WaitForAsync();
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("s3cret");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("article table").First.WaitForAsync();
        Assert.Equal("s3cret", await page.EvaluateAsync<string>("() => sessionStorage.getItem('api-key')"));
        Assert.False(await page.EvaluateAsync<bool>("() => Object.values(localStorage).includes('s3cret') || document.cookie !== ''"));
        await page.ReloadAsync();
        await page.Locator("article table").First.WaitForAsync();
    }

    [Fact]
    public async Task A_server_that_is_gone_is_said_and_its_return_seen()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard);
        IPage page = visit.Page;
        await page.Locator("svg.picture").WaitForAsync();
        await page.RouteAsync("**/v1/**", route => route.AbortAsync());
        await page.GetByRole(AriaRole.Alert).GetByText("The server does not answer.").WaitForAsync();
        await page.UnrouteAsync("**/v1/**");
        await page.GetByRole(AriaRole.Alert).WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }

    [Fact]
    public async Task Refusals_are_sentences()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/nowhere");
        foreach ((int status, string body, string sentence) in ((int, string, string)[])[
            (403, """{"detail":"It needs scope admin."}""", "The API key may not do this. It needs scope admin."), (429, "", "Too many requests; try again in a few seconds."),
            (503, """{"detail":"No model serves yet."}""", "No model serves yet."), (500, "no json", "The server answered with status 500 and gave no reason.")])
        {
            await visit.Page.RouteAsync("**/v1/models", route => route.FulfillAsync(new() { Status = status, Body = body }));
            await visit.OpenAsync("#/models");
            await visit.Page.GetByRole(AriaRole.Alert).GetByText(sentence, new() { Exact = true }).WaitForAsync();
            await visit.OpenAsync("#/nowhere");
        }
    }

    [Fact]
    public async Task Dead_letters_are_shown_as_text_and_brought_back()
    {
        await using Visit visit = await Visit.BeginAsync(dashboard, "#/letters");
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "interactions/0/1" }).ClickAsync();
        await page.GetByText("<img src=x onerror=\"window.hacked=1\">", new() { Exact = true }).WaitForAsync();
        Assert.Equal(0, await page.Locator("main img").CountAsync());

        await visit.OpenAsync("#/letters");
        await page.GetByRole(AriaRole.Button, new() { Name = "Replay interactions/0/1" }).ClickAsync();
        await page.Locator("#ask-yes").ClickAsync();
        await page.GetByText("0 replayed, 0 overtaken, 1 still unreadable, 0 unknown.").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Replay interactions/0/0" }).ClickAsync();
        await page.Locator("#ask-yes").ClickAsync();
        await page.GetByText("1 replayed, 0 overtaken, 0 still unreadable, 0 unknown.").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "interactions/0/0" }).WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }
}
