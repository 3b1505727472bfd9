using System.CommandLine;
using System.Globalization;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>What the user sees when something goes wrong: one sentence for what the user can change, the whole exception for what only we can.</summary>
internal static class Failures
{
    public const int BadInput = ExitCodes.NotDone;

    public static async Task<int> GuardAsync(ParseResult parsed, Func<CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        TextWriter error = parsed.InvocationConfiguration.Error;
        try
        {
            return await run(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped. Nothing was left half done; the same command goes on or begins again.");
            return ExitCodes.Stopped;
        }
        catch (Exception e) when (Expected(e) is { } sentence)
        {
            await error.WriteLineAsync(sentence);
            return BadInput;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"This is a defect of the program, please report it: {e}"));
            return ExitCodes.Defect;
        }
    }

    private static string? Expected(Exception e) => e switch
    {
        AggregateException { InnerExceptions.Count: 1 } aggregate => Expected(aggregate.InnerExceptions[0]),
        InvalidDataException or IOException or UnauthorizedAccessException or InsufficientMemoryException => e.Message,
        Microsoft.Extensions.Options.OptionsValidationException options => string.Join(" ", options.Failures),
        _ => null,
    };
}
