using Microsoft.Extensions.Configuration;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>Whether a configured server answers: two attempts, each with a time limit.</summary>
internal sealed class ServerCheck(TimeProvider time, TimeSpan limit)
{
    public const int Attempts = 2;

    // A client's own limit is a little less than ours, so that its sentence is heard.
    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is IOException or TimeoutRejectedException),
            MaxRetryAttempts = Attempts - 1,
            Delay = TimeSpan.FromSeconds(0.5),
        })
        .AddTimeout(limit)
        .Build();

    public async Task<Finding> LookAsync(Server server, IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (!server.IsConfigured(configuration)) return Finding.Ok(server.Check, $"not configured ({server.Key}): the embedded part is used");
        try
        {
            return Finding.Ok(server.Check, await pipeline.ExecuteAsync(async token => await server.AskAsync(configuration, limit * 0.9, token).WaitAsync(token), cancellationToken));
        }
        catch (InvalidDataException wrong)
        {
            return Finding.Problem(server.Check, wrong.Message, "Set the key right.");
        }
        catch (IOException silent)
        {
            return Finding.Problem(server.Check, silent.Message, $"Start the server, let this machine reach it, or set {server.Key} right; without the key the embedded part is used.");
        }
        catch (TimeoutRejectedException)
        {
            return Finding.Problem(server.Check, FormattableString.Invariant($"no answer within {limit.TotalSeconds:0.#} s in {Attempts} attempts"), $"Start the server, let this machine reach it, or set {server.Key} right; without the key the embedded part is used.");
        }
    }
}
