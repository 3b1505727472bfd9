using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.SimulatedShop;

/// <summary>Writes the products: every use gets about the same number, every role of a use is filled in turn.</summary>
internal sealed class Catalogue(ShopOptions options, Random random)
{
    private readonly HashSet<string> titles = new(StringComparer.Ordinal);

    /// <param name="startMs">First day of trade.</param>
    /// <param name="presentMs">When the new products arrive.</param>
    public IReadOnlyList<Product> Write(long startMs, long presentMs)
    {
        int[] attention = Permutation(options.Products);
        int[] arrival = Permutation(options.Products);
        int fresh = (int)Math.Round(options.Products * options.NewShare), arriving = (int)Math.Round(options.Products * options.ArrivingShare);
        var products = new Product[options.Products];
        for (int n = 0; n < products.Length; n++)
        {
            int use = n % Uses.All.Count;
            int role = n / Uses.All.Count % Uses.All[use].Roles.Length;
            long arrivesMs = arrival[n] < fresh ? presentMs
                : arrival[n] < fresh + arriving ? startMs + (long)(random.NextDouble() * (presentMs - startMs))
                : startMs;
            products[n] = new Product(Describe($"p{n + 1:D4}", Uses.All[use], Uses.All[use].Roles[role], arrivesMs), use, role, arrivesMs,
                1 / Math.Pow(attention[n] + 10, 0.7));
        }
        return products;
    }

    private ItemEvent Describe(string id, Use use, Role role, long arrivesMs)
    {
        string brand = Pick(Wording.Brands), line = Pick(Wording.Lines), material = Pick(Wording.Materials), colour = Pick(Wording.Colours), size = Pick(Wording.Sizes);
        string[] signs = Permutation(use.Signs.Length).Take(2).Select(n => use.Signs[n]).ToArray();
        string Fill(string template) => new StringBuilder(template)
            .Replace("{brand}", brand).Replace("{line}", line).Replace("{material}", material).Replace("{colour}", colour).Replace("{size}", size)
            .Replace("{first}", signs[0]).Replace("{second}", signs[1]).ToString();

        string title = Title(brand, line, role.Noun, colour, size, signs[0]);
        string[] sentences = [Fill(Pick(Wording.Openings)), Fill(Pick(Wording.Makings)), Fill(Pick(Wording.Fits)), Wording.Departments[role.Department]];
        string description = string.Join(". ", sentences.Select(Capital)) + ".";
        return new ItemEvent(new ItemId(id), title, description,
            new Dictionary<string, JsonElement> { ["department"] = JsonSerializer.SerializeToElement(role.Department), ["brand"] = JsonSerializer.SerializeToElement(brand) },
            null, true, arrivesMs);
    }

    /// <summary>One title in five names a sign; a title that is taken gets the size, then a number.</summary>
    private string Title(string brand, string line, string noun, string colour, string size, string sign)
    {
        string title = $"{brand} {line} {noun}, {colour}" + (random.Next(5) == 0 ? $", {sign}" : "");
        if (titles.Add(title)) return title;
        string sized = $"{title}, {size}";
        for (int number = 2; !titles.Add(sized); number++) sized = $"{title}, {size}, no. {number}";
        return sized;
    }

    private string Pick(string[] words) => words[random.Next(words.Length)];

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    private int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return order;
    }
}
