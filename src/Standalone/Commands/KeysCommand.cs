using System.CommandLine;
using System.Text.Json;
using BeeFormer.Streaming.Api;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>keys new</c>: an API key, shown once, and the entry by which a server knows it.</summary>
internal static class KeysCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create(IAnsiConsole console)
    {
        Option<string> name = new("--name") { Description = "Whose key it is: for logs and rate limits.", HelpName = "NAME", Required = true };
        Option<string> scopes = new("--scopes") { Description = $"What it may do: some of {string.Join(", ", Scopes.All)}, separated by commas.", HelpName = "LIST", Required = true };
        name.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { Length: 0 or > 100 } text) result.AddError($"--name has {text.Length} characters; expected 1 to 100.");
        });
        scopes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && ApiKeyEntry.ScopesOf(text) is null) result.AddError($"--scopes is {text}; expected some of {string.Join(", ", Scopes.All)}, separated by commas.");
        });
        var json = new JsonOption(console);
        var create = new Command("new", "Make a key. It is shown this once; only its hash is for keeping.") { name, scopes, json.Option };
        create.SetAction(parsed =>
        {
            (string key, ApiKeyHash hash) = ApiKeyHash.New();
            var entry = new { Name = parsed.GetRequiredValue(name), Hash = hash.ToString(), Scopes = string.Join(',', ApiKeyEntry.ScopesOf(parsed.GetRequiredValue(scopes))!) };
            TextWriter output = json.People(parsed).Profile.Out.Writer; // no line of these may be wrapped
            output.WriteLine($"Key, shown only now: {key}");
            output.WriteLine($"For {Hosting.DataFolder.KeysFile} in the server's data folder, which is read again when it changes:");
            output.WriteLine(JsonSerializer.Serialize(new { ApiKeys = new[] { entry } }, Indented));
            json.Write(parsed, new NewKey(key, entry.Name, entry.Hash, entry.Scopes));
            return 0;
        });
        return new Command("keys", "API keys.") { create };
    }

    private sealed record NewKey(string Key, string Name, string Hash, string Scopes);
}
