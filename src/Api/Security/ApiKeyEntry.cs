using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>One entry of section <c>ApiKeys</c>. All of it is plain values, so that an entry of one configuration source replaces that of another as a whole.</summary>
public sealed class ApiKeyEntry
{
    public const string Section = "ApiKeys";

    /// <summary>Whose key it is: for logs and rate limits.</summary>
    public string Name { get; set; } = "";

    /// <summary>As <c>beeformer keys new</c> prints it.</summary>
    public string Hash { get; set; } = "";

    /// <summary>Some of <c>read</c>, <c>write</c>, <c>admin</c>, separated by commas.</summary>
    public string Scopes { get; set; } = "";

    /// <summary>Requests a second of this key; 0: as many as <c>Api:RequestsPerSecond</c> says. Default 0.</summary>
    public double RequestsPerSecond { get; set; }

    /// <exception cref="OptionsValidationException">Names the entry that cannot be used.</exception>
    public static IReadOnlyList<ApiKeyEntry> Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        if (!section.GetChildren().Any()) return [];
        List<ApiKeyEntry> entries;
        try
        {
            entries = section.Get<List<ApiKeyEntry>>(binder => binder.ErrorOnUnknownConfiguration = true) ?? [];
        }
        catch (InvalidOperationException unreadable)
        {
            throw Invalid($"{Section} cannot be read: {unreadable.InnerException?.Message ?? unreadable.Message}");
        }
        for (int n = 0; n < entries.Count; n++)
            if (entries[n].Problem() is { } problem) throw Invalid(string.Create(CultureInfo.InvariantCulture, $"{Section}:{n}: {problem}"));
        if (entries.CountBy(entry => entry.Name).FirstOrDefault(count => count.Value > 1).Key is { } name) throw Invalid($"{Section} names {name} twice; expected each name once.");
        if (entries.CountBy(entry => ApiKeyHash.Parse(entry.Hash)!.Salt).Any(count => count.Value > 1)) throw Invalid($"{Section} holds the same hash twice; expected a key of its own for each name.");
        return entries;
    }

    /// <returns>The scopes; null when there is another word among them.</returns>
    public static IReadOnlyList<string>? ScopesOf(string text)
    {
        string[] scopes = text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return scopes.Length > 0 && scopes.All(Api.Scopes.All.Contains) ? scopes : null;
    }

    private string? Problem() =>
        Name is not { Length: >= 1 and <= 100 } ? $"Name has {Name?.Length ?? 0} characters; expected 1 to 100."
        : ApiKeyHash.Parse(Hash) is null ? $"Hash of {Name} is none; expected what beeformer keys new prints."
        : Scopes is null || ScopesOf(Scopes) is null ? $"Scopes of {Name} are \"{Scopes}\"; expected some of {string.Join(", ", Api.Scopes.All)}, separated by commas."
        : !(RequestsPerSecond is >= 0 and <= 1e6) ? $"RequestsPerSecond of {Name} is {RequestsPerSecond}; expected 0 to 1000000."
        : null;

    private static OptionsValidationException Invalid(string problem) => new(Section, typeof(ApiKeyEntry), [problem]);
}
