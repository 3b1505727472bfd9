using k8s;
using k8s.Models;
using YamlDotNet.Core;

namespace BeeFormer.Streaming.Deployment.Tests;

public sealed class KubernetesTests
{
    private static readonly Dictionary<string, Type> s_kinds = new()
    {
        ["v1/Namespace"] = typeof(V1Namespace), ["v1/ServiceAccount"] = typeof(V1ServiceAccount), ["v1/Service"] = typeof(V1Service), ["v1/ConfigMap"] = typeof(V1ConfigMap), ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget), ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy), ["networking.k8s.io/v1/Ingress"] = typeof(V1Ingress),
        ["autoscaling/v2/HorizontalPodAutoscaler"] = typeof(V2HorizontalPodAutoscaler),
    };

    private static string Base(string file) => Repository.PathOf("infra", "kubernetes", "base", file);

    /// <summary>What <c>kubectl apply -k</c> would send, each field known to Kubernetes. The base is its files and its settings; of more Kustomize alone makes something.</summary>
    private static async Task<List<object>> BuiltAsync(string folder)
    {
        if (folder != "base") return Load(await Repository.RunAsync(null, "kubectl", "kustomize", Repository.PathOf("infra", "kubernetes", folder)));
        var settings = File.ReadAllLines(Base("settings.env")).Where(line => !line.StartsWith('#')).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return [.. Files().SelectMany(file => Load(File.ReadAllText(Base(file)))), new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "beeformer" }, Data = settings }];
    }

    private static List<object> Load(string text) => KubernetesYaml.LoadAllFromString(text, s_kinds, strict: true);

    private static IEnumerable<string> Files() => Yaml.Read(File.ReadAllText(Base("kustomization.yaml")))["resources"]!.AsArray().Select(file => (string)file!);

    [Fact]
    public void Every_file_is_part_of_the_base() => Assert.Equal(Directory.GetFiles(Base("")).Select(file => Path.GetFileName(file)!).Except(["kustomization.yaml", "settings.env"]).Order(), Files().Order());

    [Theory]
    [InlineData("ingest.yaml", 5)]
    [InlineData("trainer.yaml", 4)]
    [InlineData("indexer.yaml", 4)]
    [InlineData("api.yaml", 6)]
    [InlineData("namespace.yaml", 3)]
    public void Every_field_is_known_to_Kubernetes(string file, int objects) => Assert.Equal(objects, Load(File.ReadAllText(Base(file))).Count);

    [Fact]
    public void A_field_that_is_not_known_is_refused() =>
        Assert.ThrowsAny<YamlException>(() => Load(File.ReadAllText(Base("api.yaml")).Replace("terminationGracePeriodSeconds", "terminationGrace", StringComparison.Ordinal)));

    [Theory]
    [InlineData("base")]
    [InlineData("example")]
    public async Task The_services_run_restricted_bounded_probed_and_spread(string folder)
    {
        var all = await BuiltAsync(folder);
        Assert.Equal("restricted", Assert.Single(all.OfType<V1Namespace>()).Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        var deployments = all.OfType<V1Deployment>().ToList();
        Assert.Equal(Repository.Services.Select(name => name.ToLowerInvariant()).Order(), deployments.Select(deployment => deployment.Metadata.Name).Order());
        foreach (var deployment in deployments)
        {
            string name = deployment.Metadata.Name;
            var pod = deployment.Spec.Template.Spec;
            Assert.Equal(new ResourceQuantity("0"), new ResourceQuantity((string)deployment.Spec.Strategy.RollingUpdate.MaxUnavailable));
            Assert.True(pod.TerminationGracePeriodSeconds >= 60, name);
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.False(Assert.Single(all.OfType<V1ServiceAccount>(), account => account.Metadata.Name == pod.ServiceAccountName).AutomountServiceAccountToken);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], pod.TopologySpreadConstraints.Select(spread => spread.TopologyKey));

            var container = Assert.Single(pod.Containers);
            Assert.True(Images.IsPinned(container.Image), container.Image);
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Null(container.SecurityContext.Capabilities.Add);
            foreach (string resource in (string[])["cpu", "memory", "ephemeral-storage"])
                Assert.True(container.Resources.Requests[resource].ToDecimal() <= container.Resources.Limits[resource].ToDecimal(), $"{name}: more {resource} is asked for than is allowed.");
            Assert.Equal("/healthz", container.LivenessProbe.HttpGet.Path);
            Assert.Equal("/healthz", container.StartupProbe.HttpGet.Path);
            Assert.Equal("/readyz", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal(["/data", "/run/authority", "/run/secrets", "/tmp"], container.VolumeMounts.Select(mount => mount.MountPath).Order());
            Assert.Equal(name, Assert.Single(pod.Volumes, volume => volume.Secret is not null).Secret.SecretName);
            Assert.All(pod.Volumes.Where(volume => volume.EmptyDir is not null), volume => Assert.NotNull(volume.EmptyDir.SizeLimit));

            Assert.Equal("1", (string)Assert.Single(all.OfType<V1PodDisruptionBudget>(), budget => budget.Spec.Selector.MatchLabels["app.kubernetes.io/name"] == name).Spec.MaxUnavailable);
            Assert.Equal(name is "trainer" or "indexer" ? 2 : null, deployment.Spec.Replicas);
            Assert.Equal(name is "ingest" or "api", all.OfType<V2HorizontalPodAutoscaler>().Any(scaler => scaler.Spec.ScaleTargetRef.Name == name && scaler.Spec.MinReplicas >= 2));
        }
    }

    [Theory]
    [InlineData("base")]
    [InlineData("example")]
    public async Task Settings_are_configuration_keys_and_none_is_secret(string folder)
    {
        var all = await BuiltAsync(folder);
        Assert.Empty(all.OfType<V1Secret>());
        var settings = Assert.Single(all.OfType<V1ConfigMap>());
        Assert.Empty(ConfigurationKeys.UnknownAmong(settings.Data.Keys));
        foreach (var container in all.OfType<V1Deployment>().SelectMany(deployment => deployment.Spec.Template.Spec.Containers))
        {
            Assert.Empty(ConfigurationKeys.UnknownAmong(container.Env.Select(variable => variable.Name)));
            Assert.Equal(settings.Metadata.Name, Assert.Single(container.EnvFrom).ConfigMapRef.Name);
        }
        string[] given = [.. settings.Data.Keys, .. all.OfType<V1Deployment>().SelectMany(deployment => deployment.Spec.Template.Spec.Containers).SelectMany(container => container.Env).Select(variable => variable.Name)];
        Assert.DoesNotContain(given, name => name.Contains("Password", StringComparison.Ordinal) || name.EndsWith("ApiKey", StringComparison.Ordinal) || name == "Redis__Configuration");
    }

    [Fact]
    public async Task Nobody_reaches_anybody_but_along_the_arrows()
    {
        var policies = (await BuiltAsync("base")).OfType<V1NetworkPolicy>().ToDictionary(policy => policy.Metadata.Name);
        var deny = policies["deny"].Spec;
        Assert.Null(deny.PodSelector.MatchLabels);
        Assert.Equal(["Ingress", "Egress"], deny.PolicyTypes);
        Assert.True(deny.Ingress is null && deny.Egress is null, "What denies all lets something through.");

        var servers = new Dictionary<string, string[]>
        {
            ["ingest"] = ["kafka:9093", "redis:6379", "s3:8333"],
            ["trainer"] = ["rabbitmq:5671", "s3:8333"],
            ["indexer"] = ["kafka:9093", "qdrant:6334", "rabbitmq:5671", "s3:8333"],
            ["api"] = ["kafka:9093", "qdrant:6334", "rabbitmq:5671", "redis:6379", "s3:8333"],
        };
        foreach (var (name, expected) in servers)
        {
            Assert.Equal(expected, policies[name].Spec.Egress.Select(rule => $"{Assert.Single(rule.To).PodSelector.MatchLabels["app.kubernetes.io/name"]}:{(string)Assert.Single(rule.Ports).Port}"));
            string[] callers = [.. policies[name].Spec.Ingress.Select(rule => Assert.Single(rule.FromProperty).NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"])];
            Assert.Equal(name == "api" ? ["monitoring", "ingress"] : ["monitoring"], callers);
        }
    }

    [Fact]
    public async Task Ingest_is_scaled_by_a_metric_that_there_is()
    {
        var scaler = (await BuiltAsync("base")).OfType<V2HorizontalPodAutoscaler>().Single(scaler => scaler.Metadata.Name == "ingest");
        var rule = Yaml.Read(Repository.Read("infra", "kubernetes", "prometheus-adapter.yaml"))["rules"]!["external"]!.AsArray().Single()!;
        Assert.Equal((string)rule["name"]!["as"]!, Assert.Single(scaler.Spec.Metrics).External.Metric.Name);
        Assert.Contains($"| `{rule["seriesQuery"]}` | gauge,", Repository.Read("docs", "observability.md"), StringComparison.Ordinal);
    }
}
