using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;

namespace BeeFormer.Streaming.Deployment.Tests;

public sealed partial class ComposeTests(MadeSecrets secrets)
{
    /// <summary>They end when their work is done.</summary>
    private static readonly string[] s_once = ["kafka-setup", "s3-setup"];

    /// <summary>Which key says that a service uses which server; the server has a network of the same name.</summary>
    private static readonly Dictionary<string, string> s_servers = new()
    {
        ["Kafka__BootstrapServers"] = "kafka", ["Qdrant__Endpoint"] = "qdrant", ["RabbitMq__Host"] = "rabbitmq", ["Redis__Configuration"] = "redis", ["Storage__Uri"] = "s3", ["Models__Uri"] = "s3",
    };

    // The specification's file names its dialect by another address than that dialect has.
    private static readonly JsonSchema s_schema = JsonSchema.FromText(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "compose-spec.json")).Replace("https://json-schema.org/draft-07/schema", "http://json-schema.org/draft-07/schema#", StringComparison.Ordinal));
    private static readonly JsonNode s_compose = Yaml.Read(Repository.Read("docker-compose.yml"));

    private static IEnumerable<(string Name, JsonObject Service)> Services => s_compose["services"]!.AsObject().Select(service => (service.Key, service.Value!.AsObject()));

    [Theory]
    [InlineData("docker-compose.yml")]
    [InlineData("docker-compose.development.yml")]
    public void The_file_is_one_of_the_compose_specification(string file)
    {
        var result = Evaluate(Yaml.Read(Repository.Read(file)));
        Assert.True(result.IsValid, string.Join('\n', result.Details!.SelectMany(detail => (detail.Errors ?? []).Select(error => $"{detail.InstanceLocation}: {error.Value}"))));
    }

    [Fact]
    public void What_the_specification_does_not_know_is_refused()
    {
        var wrong = s_compose.DeepClone();
        wrong["services"]!["api"]!["memory_limit"] = "1g";
        Assert.False(Evaluate(wrong).IsValid);
    }

    [Theory]
    [InlineData("docker-compose.yml")]
    [InlineData("docker-compose.development.yml")]
    public void Every_image_is_pinned(string file)
    {
        foreach (var (name, service) in Yaml.Read(Repository.Read(file))["services"]!.AsObject()) Assert.True(Images.IsPinned((string)service!["image"]!), $"{name}: {service["image"]}");
    }

    [Fact]
    public void Every_container_is_hardened_bounded_and_watched()
    {
        foreach (var (name, service) in Services)
        {
            Assert.True((bool)service["read_only"]!, $"{name} may write to its own image.");
            Assert.Equal(["ALL"], Texts(service["cap_drop"]));
            Assert.Null(service["cap_add"]);
            Assert.Null(service["privileged"]);
            Assert.Equal(["no-new-privileges:true"], Texts(service["security_opt"]));
            var limits = service["deploy"]!["resources"]!["limits"]!;
            Assert.True(double.Parse((string)limits["cpus"]!, System.Globalization.CultureInfo.InvariantCulture) > 0, $"{name} has no limit of processors.");
            Assert.Matches(@"^\d+[mg]$", (string)limits["memory"]!);
            // Those that are built here have theirs in the image.
            Assert.True(service.ContainsKey("healthcheck") || service.ContainsKey("build") || s_once.Contains(name), $"{name} is not watched.");
        }
    }

    [Fact]
    public void The_services_run_twice()
    {
        foreach (string service in Repository.Services) Assert.Equal(2, (int)s_compose["services"]![service.ToLowerInvariant()]!["deploy"]!["replicas"]!);
    }

    [Fact]
    public void Only_the_Api_and_Grafana_are_reached_from_outside_and_that_on_this_machine_alone()
    {
        foreach (var (name, service) in Services)
        {
            Assert.Equal(name is "api" or "grafana", service.ContainsKey("ports"));
            Assert.All(Texts(service["ports"]), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
            Assert.Equal(name is "api" or "grafana", Texts(service["networks"]).Contains("outside"));
            Assert.Null(service["network_mode"]);
        }
        foreach (var (name, network) in s_compose["networks"]!.AsObject()) Assert.Equal(name != "outside", network!.AsObject().ContainsKey("internal") && (bool)network["internal"]!);
    }

    [Fact]
    public void A_service_reaches_the_servers_that_it_is_configured_for_and_no_others()
    {
        foreach (string name in Repository.Services.Select(service => service.ToLowerInvariant()))
        {
            var service = s_compose["services"]![name]!.AsObject();
            var configured = Variables(service).Where(s_servers.ContainsKey).Select(key => s_servers[key]).Distinct();
            Assert.Equal(configured.Append("metrics").Order(), Texts(service["networks"]).Except(["outside"]).Order());
            foreach (string server in configured) Assert.Contains(server, Texts(s_compose["services"]![server]!["networks"]));
        }
    }

    [Fact]
    public void Services_wait_for_what_there_is_to_wait_for()
    {
        foreach (var (name, service) in Services)
        foreach (var (other, how) in service["depends_on"]?.AsObject() ?? [])
        {
            Assert.True(s_compose["services"]!.AsObject().ContainsKey(other), $"{name} waits for {other}, which is not there.");
            Assert.Equal(s_once.Contains(other) ? "service_completed_successfully" : "service_healthy", (string)how!["condition"]!);
        }
    }

    [Fact]
    public void Secrets_are_files_that_the_script_makes_and_each_is_used()
    {
        var declared = s_compose["secrets"]!.AsObject();
        foreach (var (name, secret) in declared)
        {
            string file = (string)secret!["file"]!;
            Assert.StartsWith("infra/secrets/", file, StringComparison.Ordinal);
            Assert.True(File.Exists(secrets.At(Path.GetFileName(file))), $"Secret {name}: infra/make-secrets makes no {Path.GetFileName(file)}.");
        }
        var used = Services.SelectMany(service => Secrets(service.Service)).Select(secret => secret.Source).ToHashSet();
        Assert.Equal(declared.Select(secret => secret.Key).Order(), used.Order());
    }

    [Fact]
    public void No_secret_stands_in_the_file()
    {
        foreach (var (name, service) in Services)
        foreach (var (key, value) in service["environment"]?.AsObject() ?? [])
            Assert.False(SecretName().IsMatch(key) && !key.EndsWith("__FILE", StringComparison.Ordinal), $"{name}: {key}={value}");
    }

    [Fact]
    public void Every_setting_is_a_configuration_key()
    {
        foreach (string service in Repository.Services) Assert.Empty(ConfigurationKeys.UnknownAmong(Variables(s_compose["services"]![service.ToLowerInvariant()]!.AsObject())));
    }

    [Fact]
    public void What_is_mounted_is_there()
    {
        int mounted = 0;
        foreach (var (name, service) in Services)
        foreach (string[] volume in Texts(service["volumes"]).Select(volume => volume.Split(':')))
        {
            if (!volume[0].StartsWith("./", StringComparison.Ordinal))
            {
                Assert.True(volume.Length == 1 || s_compose["volumes"]!.AsObject().ContainsKey(volume[0]), $"{name}: volume {volume[0]} is not declared.");
                continue;
            }
            mounted++;
            Assert.True(Path.Exists(Repository.PathOf(volume[0])), $"{name}: {volume[0]} is not there.");
            Assert.Equal("ro", volume[^1]);
        }
        Assert.True(mounted > 5, $"Only {mounted} files and folders are mounted.");
        // Whatever starts as a program has to be one.
        foreach (string script in (string[])["infra/kafka/start", "infra/kafka/setup", "infra/s3/buckets", "infra/make-secrets"])
            if (!OperatingSystem.IsWindows()) Assert.True(File.GetUnixFileMode(Repository.PathOf(script)).HasFlag(UnixFileMode.OtherExecute), script);
    }

    private static EvaluationResults Evaluate(JsonNode file) => s_schema.Evaluate(JsonSerializer.SerializeToElement(file), new EvaluationOptions { OutputFormat = OutputFormat.List });

    private static IEnumerable<string> Variables(JsonObject service) =>
        service["environment"]!.AsObject().Select(variable => variable.Key).Concat(Secrets(service).Select(secret => secret.Target).Where(target => target.Contains("__", StringComparison.Ordinal)));

    private static IEnumerable<(string Source, string Target)> Secrets(JsonObject service) =>
        (service["secrets"]?.AsArray() ?? []).Select(secret => secret is JsonObject named ? ((string)named["source"]!, (string)named["target"]!) : ((string)secret!, (string)secret!));

    private static string[] Texts(JsonNode? list) => [.. (list?.AsArray() ?? []).Select(entry => (string)entry!)];

    [GeneratedRegex("(?i)password|secret|token|api_?key|passwd")]
    private static partial Regex SecretName();
}
