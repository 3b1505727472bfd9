namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>A bucket of one minute's tokens that fills evenly.</summary>
/// <param name="kind">"Read" or "Write", for the text.</param>
internal sealed class RateLimit(string kind, uint perMinute, TimeProvider time)
{
    private readonly Lock gate = new();
    private double tokens = perMinute;
    private DateTimeOffset filled = time.GetUtcNow();

    /// <exception cref="Grpc.Core.RpcException">There are not enough; it says after how many seconds there will be, or that there never will.</exception>
    public void Take(int cost)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            tokens = Math.Min(perMinute, tokens + (now - filled).TotalMinutes * perMinute);
            filled = now;
            if (cost > perMinute) throw Refusal.RateLimited($"{kind} rate limit exceeded, request larger than rate limiter capacity, please try to split your request", null);
            if (cost > tokens)
            {
                var seconds = (int)Math.Ceiling((cost - tokens) * 60 / perMinute);
                throw Refusal.RateLimited(FormattableString.Invariant($"{kind} rate limit exceeded: Operation requires {cost} tokens but only {tokens:0.0} were available. Retry after {seconds}s"), seconds);
            }
            tokens -= cost;
        }
    }
}
