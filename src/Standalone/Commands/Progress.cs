using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>Progress bars for people; programs that read the output see none.</summary>
internal static class Progress
{
    /// <summary>Runs work of a known size on a thread of its own, with a bar.</summary>
    public static async Task<T> RunAsync<T>(IAnsiConsole console, string what, int total, Func<IProgress<int>, T> work) =>
        await WithBarsAsync(console, bars => Task.Run(() => work(bars.Start(what, total))));

    /// <summary>Runs work that brings a stream's bytes somewhere; cancelling it ends the stream.</summary>
    public static Task CountAsync(IAnsiConsole console, string what, long total, Stream stream, Func<Stream, Task> work, CancellationToken cancellationToken) =>
        WithBarsAsync(console, async bars =>
        {
            Bar bar = bars.Start(what, total);
            await work(new CountedStream(stream, bytes => bar.Set(bytes), cancellationToken));
            bar.Finish();
            return true;
        });

    /// <summary>Runs work that starts as many bars as it likes.</summary>
    public static Task<T> WithBarsAsync<T>(IAnsiConsole console, Func<Bars, Task<T>> work) =>
        console.Progress().AutoClear(false).HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new Bars(context)));
}

/// <summary>The bars of one command.</summary>
internal sealed class Bars(ProgressContext context)
{
    public Bar Start(string what, double total) => new(context.AddTask(Markup.Escape(what), maxValue: Math.Max(total, 1)));
}

internal sealed class Bar(ProgressTask task) : IProgress<int>
{
    public void Report(int value) => Set(value);

    public void Set(double value) => task.Value = value;

    public void Say(string what) => task.Description = Markup.Escape(what);

    public void Finish()
    {
        task.Value = task.MaxValue;
        task.StopTask();
    }
}
