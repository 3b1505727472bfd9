using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>What the Indexer logs goes into the test's output.</summary>
internal sealed class TestLogger<T>(ITestOutputHelper? output) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
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
