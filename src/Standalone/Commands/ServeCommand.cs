using System.CommandLine;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Hosting;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>serve</c>: all services and the API.</summary>
internal static class ServeCommand
{
    public static Command Create(IAnsiConsole console)
    {
        Option<string> data = CommonOptions.Data();
        var address = new AddressOptions();
        Option<string?> policy = CommonOptions.OptionalFile("--policy", "Training policy (YAML); default: the program's own.");
        var command = new Command("serve", "Run all services and the API in this process.") { data, policy };
        address.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            var settings = new Dictionary<string, string?>();
            if (parsed.GetValue(policy) is { } file) settings["Policy"] = file;
            await using StandaloneHost host = await StandaloneHost.StartAsync(parsed.GetRequiredValue(data), address.Of(parsed), quiet: false, settings, token);
            console.WriteLine($"Serving on {string.Join(", ", host.Urls)} (OpenAPI: /openapi/v1.json). Ctrl+C stops.");
            return await host.ServeAsync(token);
        }, cancellationToken));
        return command;
    }
}

/// <summary>Where the API listens.</summary>
internal sealed class AddressOptions
{
    private readonly Option<string?> urls = new("--urls") { Description = $"Addresses to serve at, separated by semicolons; without API keys loopback ones only. Default: {Loopback.DefaultUrl}.", HelpName = "URLS" };
    private readonly Option<int?> port = new("--port") { Description = "Port on 127.0.0.1, instead of --urls; 0: any free one.", HelpName = "N" };

    public AddressOptions() => port.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int number) && number is < 0 or > 65_535) result.AddError($"--port is {number}; expected 0 to 65535.");
    });

    public void AddTo(Command command)
    {
        command.Options.Add(urls);
        command.Options.Add(port);
    }

    public string Of(ParseResult parsed) => parsed.GetValue(urls) ?? (parsed.GetValue(port) is { } number ? $"http://127.0.0.1:{number}" : Loopback.DefaultUrl);
}
