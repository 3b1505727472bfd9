namespace BeeFormer.Streaming.ServiceDefaults.Tests;

internal static class Waiting
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, Token);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await holds()) await pause.WaitForNextTickAsync(either.Token);
    }

    public static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));
}
