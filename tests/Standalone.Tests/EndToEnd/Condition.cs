namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>Waits for something to become true; the patience is for machines that are very busy.</summary>
internal static class Condition
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <param name="otherwise">What did not happen.</param>
    public static async Task HoldsAsync(Func<Task<bool>> holds, Func<string> otherwise)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        try
        {
            while (!await holds()) await look.WaitForNextTickAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail(otherwise());
        }
    }

    public static Task HoldsAsync(Func<bool> holds, Func<string> otherwise) => HoldsAsync(() => Task.FromResult(holds()), otherwise);
}
