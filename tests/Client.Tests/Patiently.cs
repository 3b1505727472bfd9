namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Waits for something to become true; the patience is for machines that are very busy.</summary>
internal static class Patiently
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task UntilAsync(Func<Task<bool>> holds, Func<string> otherwise)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        try
        {
            while (!await holds()) await look.WaitForNextTickAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            Assert.Fail(otherwise());
        }
    }

    public static Task UntilAsync(Func<bool> holds, Func<string> otherwise) => UntilAsync(() => Task.FromResult(holds()), otherwise);

    /// <summary>What is absent is no failure, except where CI promised it.</summary>
    public static void SkipOrFail(string why)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(why);
        Assert.Skip(why);
    }
}
