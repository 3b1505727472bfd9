using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.Deployment.Tests;

public sealed partial class DockerfileTests
{
    public static TheoryData<string> Dockerfiles => [.. Directory.GetFiles(Repository.PathOf("infra"), "*.Dockerfile").Select(file => Path.GetFileName(file)!)];

    [Fact]
    public void Every_program_has_one() => Assert.Equal(Repository.Services.Append("Standalone").Select(name => $"{name}.Dockerfile").Order(), Dockerfiles.Select(row => row.Data).Order());

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void The_image_holds_one_program_and_runs_it_as_nobody(string file)
    {
        var steps = Steps(file);
        string program = Path.GetFileNameWithoutExtension(file);
        string[] Of(string instruction) => [.. steps.Where(step => step.Instruction == instruction).Select(step => step.Arguments)];

        string[] bases = [.. Of("FROM").Select(from => from.Split(' ')[0])];
        Assert.Equal(2, bases.Length);
        Assert.All(bases, image => Assert.True(Images.IsPinned(image), image));
        Assert.Contains("chiseled", bases[1], StringComparison.Ordinal);

        var last = steps[(steps.FindLastIndex(step => step.Instruction == "FROM") + 1)..];
        Assert.Equal("$APP_UID", Assert.Single(last, step => step.Instruction == "USER").Arguments);
        Assert.DoesNotContain(last, step => step.Instruction is "RUN" or "ADD"); // there is nothing to run it with
        Assert.All(last.Where(step => step.Instruction == "COPY"), copy => Assert.Contains("--from=build", copy.Arguments, StringComparison.Ordinal));
        Assert.Equal("/data", Assert.Single(last, step => step.Instruction == "VOLUME").Arguments);
        foreach (string label in (string[])["title", "description", "licenses", "version", "revision"]) Assert.Contains($"org.opencontainers.image.{label}=", Assert.Single(Of("LABEL")), StringComparison.Ordinal);

        string executable = program == "Standalone" ? "beeformer" : $"BeeFormer.Streaming.{program}";
        Assert.Contains($"CMD [\"/app/{executable}\", \"health\"", Assert.Single(Of("HEALTHCHECK")), StringComparison.Ordinal);
        Assert.StartsWith($"[\"/app/{executable}\"", Assert.Single(Of("ENTRYPOINT")), StringComparison.Ordinal);

        Assert.Contains(Of("RUN"), run => run == $"dotnet restore src/{program} --locked-mode");
        Assert.Contains(Of("RUN"), run => run == $"dotnet publish src/{program} -c Release --no-restore -o /app");
        Assert.Contains(Of("RUN"), run => run.Contains($"dotnet-CycloneDX src/{program}/{program}.csproj", StringComparison.Ordinal));
        Assert.DoesNotContain(steps.Where(step => step.Instruction is "ENV" or "ARG"), step => Secret().IsMatch(step.Arguments));
    }

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void What_it_is_restored_from_is_locked(string file) => Assert.True(File.Exists(Repository.PathOf("infra", "locks", $"{Path.GetFileNameWithoutExtension(file)}.json")), "Restore the solution: it writes the file.");

    [Fact]
    public void Versions_of_the_base_images_are_the_same_everywhere()
    {
        foreach (string kind in (string[])["sdk", "aspnet"]) Assert.Single(Dockerfiles.SelectMany(row => Steps(row.Data)).Where(step => step.Instruction == "FROM" && step.Arguments.Contains($"/{kind}:", StringComparison.Ordinal)).Select(step => step.Arguments.Split(' ')[0]).Distinct());
    }

    [Theory]
    [InlineData("Ingest")]
    [InlineData("Trainer")]
    [InlineData("Indexer")]
    [InlineData("Api")]
    public void Ports_are_those_of_the_program(string service)
    {
        string port = Port().Match(Repository.Read("src", service, "Program.cs") is var program && program.Contains("Loopback.DefaultUrl", StringComparison.Ordinal) ? Repository.Read("src", service, "Security", "Loopback.cs") : program).Groups[1].Value;
        var steps = Steps($"{service}.Dockerfile");
        Assert.Equal(port, steps.Single(step => step.Instruction == "EXPOSE").Arguments);
        Assert.Contains($"Urls=http://0.0.0.0:{port} ", steps.Single(step => step.Instruction == "ENV").Arguments, StringComparison.Ordinal);
        Assert.Contains($"names: [{service.ToLowerInvariant()}], type: A, port: {port},", Repository.Read("infra", "prometheus", "compose.yml"), StringComparison.Ordinal);
        Assert.Contains($"containerPort: {port}", Repository.Read("infra", "kubernetes", "base", $"{service.ToLowerInvariant()}.yaml"), StringComparison.Ordinal);
    }

    /// <summary>Comments gone, continued lines joined.</summary>
    private static List<(string Instruction, string Arguments)> Steps(string file) =>
        [.. Continued().Replace(string.Join('\n', Repository.Read("infra", file).Split('\n').Where(line => !line.StartsWith('#'))), " ").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (line.Split(' ')[0], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim()))];

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"http://127\.0\.0\.1:(\d+)")]
    private static partial Regex Port();

    [GeneratedRegex("(?i)password|secret|token|api_?key|credential")]
    private static partial Regex Secret();
}
