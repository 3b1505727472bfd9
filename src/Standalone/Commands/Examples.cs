using System.CommandLine;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>How each command is used: for its help and the reference. A test runs every example through the parser.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["beeformer"] = ["beeformer demo", "beeformer doctor", "beeformer serve --data ./data"],
        ["beeformer serve"] = ["beeformer serve --data ./data", "beeformer serve --data ./data --port 9000 --policy policy.yaml"],
        ["beeformer demo"] = ["beeformer demo", "beeformer demo --products 500 --shoppers 800 --exit --json demo.json"],
        ["beeformer replay"] = ["beeformer replay --items items.csv --interactions ratings.csv.gz --min-value 4 --period 30d --json report.json", "beeformer replay --items items.csv --interactions purchases.csv.gz --with Diversity=0.3 --with Popularity=0,History=0"],
        ["beeformer evaluate"] = ["beeformer evaluate --items items.csv --interactions ratings.csv.gz --min-value 4 --policy policy.yaml --json report.json"],
        ["beeformer encode"] = ["beeformer encode --input texts.jsonl --output embeddings.safetensors", "beeformer encode --encoder ./e5-small --role query --input texts.jsonl --output queries.safetensors"],
        ["beeformer encoder info"] = ["beeformer encoder info", "beeformer encoder info ./e5-small --json"],
        ["beeformer windows count"] = ["beeformer windows count --data ./data"],
        ["beeformer windows describe"] = ["beeformer windows describe --data ./data --json"],
        ["beeformer users erase"] = ["beeformer users erase ann-4711 --data ./data"],
        ["beeformer users verify-erased"] = ["beeformer users verify-erased ann-4711 --data ./data --json"],
        ["beeformer models list"] = ["beeformer models list --data ./data"],
        ["beeformer models show"] = ["beeformer models show 000012-9f3ab07c --data ./data"],
        ["beeformer models activate"] = ["beeformer models activate 000012-9f3ab07c --data ./data"],
        ["beeformer models export"] = ["beeformer models export 000012-9f3ab07c --data ./data --output model.tar"],
        ["beeformer models import"] = ["beeformer models import model.tar --data ./other"],
        ["beeformer train"] = ["beeformer train --data ./data", "beeformer train --data ./data --tempo encoder --policy policy.yaml"],
        ["beeformer trainings list"] = ["beeformer trainings list --data ./data --json"],
        ["beeformer trainings show"] = ["beeformer trainings show 0b7c1f6e-6a0f-4c3b-9d2e-5d1f3a8c7b21 --data ./data"],
        ["beeformer trainings cancel"] = ["beeformer trainings cancel 0b7c1f6e-6a0f-4c3b-9d2e-5d1f3a8c7b21 --data ./data"],
        ["beeformer dead-letters list"] = ["beeformer dead-letters list --where reason=missing_field --data ./data"],
        ["beeformer dead-letters show"] = ["beeformer dead-letters show interactions/0/42 --data ./data"],
        ["beeformer dead-letters replay"] = ["beeformer dead-letters replay --where topic=items --dry-run --data ./data", "beeformer dead-letters replay interactions/0/42 --data ./data"],
        ["beeformer keys new"] = ["beeformer keys new --name shop --scopes read,write"],
        ["beeformer doctor"] = ["beeformer doctor --data ./data", "beeformer doctor --data ./data --json"],
        ["beeformer health"] = ["beeformer health --data ./data"],
        ["beeformer completion"] = ["source <(beeformer completion bash)", "beeformer completion zsh > ~/.zfunc/_beeformer", "beeformer completion fish > ~/.config/fish/completions/beeformer.fish"],
    };

    /// <summary>Of a group: the first of each of its commands.</summary>
    /// <exception cref="KeyNotFoundException">The command has none; it belongs above.</exception>
    public static IReadOnlyList<string> Of(Command command) => Known.TryGetValue(CommandPath.Of(command), out string[]? known) ? known
        : command.Subcommands.Count > 0 ? [.. command.Subcommands.Select(one => Of(one)[0])]
        : throw new KeyNotFoundException($"{CommandPath.Of(command)} has no example.");
}
