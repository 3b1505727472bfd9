using System.Text.Json;
using Microsoft.Playwright;

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>What everybody must be able to see, hear or reach, measured in the page as the browser has it.</summary>
internal static class Looks
{
    private static readonly string[] Named =
        ["button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "image", "img", "dialog", "meter", "progressbar", "region", "navigation", "article", "heading", "table"];

    /// <summary>By the accessibility tree that the browser gives to screen readers.</summary>
    public static async Task<IReadOnlyList<string>> NamelessAsync(IPage page)
    {
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        JsonElement tree = (await session.SendAsync("Accessibility.getFullAXTree"))!.Value;
        await session.DetachAsync();
        var roles = new List<(string Role, string Name)>();
        foreach (JsonElement node in tree.GetProperty("nodes").EnumerateArray())
        {
            if (node.GetProperty("ignored").GetBoolean()) continue;
            string role = node.GetProperty("role").GetProperty("value").GetString()!;
            roles.Add((role, node.TryGetProperty("name", out JsonElement name) && name.TryGetProperty("value", out JsonElement value) ? value.GetString() ?? "" : ""));
        }
        var problems = roles.Where(node => Named.Contains(node.Role) && string.IsNullOrWhiteSpace(node.Name)).Select(node => $"a {node.Role} without a name").ToList();
        foreach (string landmark in (string[])["banner", "navigation", "main", "contentinfo"])
            if (roles.Count(node => node.Role == landmark) != 1) problems.Add($"{roles.Count(node => node.Role == landmark)} landmarks {landmark}");
        return problems;
    }

    /// <summary>Of all text that is seen, against the colour behind it (WCAG 2: at least 4.5).</summary>
    public static async Task<IReadOnlyList<string>> PaleAsync(IPage page) => await page.EvaluateAsync<string[]>("""
        () => {
          const painter = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const parse = colour => { painter.clearRect(0, 0, 1, 1); painter.fillStyle = colour; painter.fillRect(0, 0, 1, 1); return painter.getImageData(0, 0, 1, 1).data; };
          const solid = colour => { const [r, g, b, a] = parse(colour); return a === 255 ? [r, g, b] : null; };
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
          const behind = element => {
            for (let at = element; at; at = at.parentElement) {
              const box = at instanceof SVGElement ? [...at.children].find(child => child.tagName === 'rect') : null;
              const colour = box ? solid(getComputedStyle(box).fill) : at instanceof SVGElement ? null : solid(getComputedStyle(at).backgroundColor);
              if (colour) return colour;
            }
            return [255, 255, 255];
          };
          const pale = [];
          let looked = 0;
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const element = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim() || !element.checkVisibility() || ['OPTION', 'title', 'desc', 'NOSCRIPT'].includes(element.tagName) || element.closest('.unseen')) continue;
            const style = getComputedStyle(element);
            const [front, back] = [light(parse(element instanceof SVGElement ? style.fill : style.color).slice(0, 3)), light(behind(element))];
            const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
            looked++;
            if (contrast < 4.5) pale.push(`${contrast.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
          }
          return looked < 15 ? [`only ${looked} texts were seen`] : pale;
        }
        """);

    /// <summary>What is wider than the window, if anything makes the page scroll sideways.</summary>
    public static async Task<IReadOnlyList<string>> TooWideAsync(IPage page) => await page.EvaluateAsync<string[]>("""
        () => document.documentElement.scrollWidth <= innerWidth ? []
          : [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => `${one.tagName}.${one.className.baseVal ?? one.className}`).slice(0, 5)
        """);

    /// <summary>Walks with the Tab key from the beginning until the focus leaves the page.</summary>
    /// <returns>Each stop with what was wrong there, and what the walk did not reach.</returns>
    public static async Task<(int Stops, IReadOnlyList<string> Problems)> WalkAsync(IPage page)
    {
        await page.EvaluateAsync("() => { document.activeElement?.blur(); getSelection().removeAllRanges(); scrollTo(0, 0); window.walked = new Set(); }");
        var problems = new List<string>();
        int stops = 0;
        for (; ; stops++)
        {
            await page.Keyboard.PressAsync("Tab");
            string? problem = await page.EvaluateAsync<string?>("""
                () => {
                  const at = document.activeElement;
                  if (!at || at === document.body || walked.has(at)) return null;
                  walked.add(at);
                  const style = getComputedStyle(at), box = at.getBoundingClientRect();
                  const what = `${at.tagName} ${at.id || at.textContent.trim().slice(0, 30)}`;
                  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return `${what}: the focus cannot be seen`;
                  if (box.width < 1 || box.height < 1 || box.bottom < 0 || box.top > innerHeight) return `${what}: has the focus out of sight`;
                  return '';
                }
                """);
            if (problem is null) break;
            if (problem.Length > 0) problems.Add(problem);
        }
        problems.AddRange(await page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
              .filter(one => one.checkVisibility() && !one.disabled && !walked.has(one)).map(one => `${one.tagName} ${one.id || one.textContent.trim().slice(0, 30)}: not reached`)
            """));
        return (stops, problems);
    }
}
