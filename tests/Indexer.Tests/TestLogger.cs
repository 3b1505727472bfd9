using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>What the Indexer logs goes into the test's output.</summary>
/// <param name="logged">Told each line, too.</param>
internal sealed class TestLogger<T>(ITestOutputHelper? output, Action<LogLevel, string>? logged = null) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        logged?.Invoke(logLevel, formatter(state, exception));
        try
        {
            output?.WriteLine($"{logLevel}: {formatter(state, exception)} {exception}");
        }
        catch (InvalidOperationException)
        {
            // The test is over; nobody reads on.
        }
    }
}
