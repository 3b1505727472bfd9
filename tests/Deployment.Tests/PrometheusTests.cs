namespace BeeFormer.Streaming.Deployment.Tests;

public sealed class PrometheusTests
{
    [Theory]
    [InlineData("prometheus.yml")]
    [InlineData("compose.yml")]
    public Task Prometheus_takes_its_configuration(string file) =>
        Repository.RunAsync("prometheus", "promtool", "check", "config", "--syntax-only", Repository.PathOf("infra", "prometheus", file));
}
