using System.Reflection;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>An index that holds nothing and tells a test of each question before it answers.</summary>
public class AskedIndex : DispatchProxy
{
    private Func<string, CancellationToken, Task> _ask = (_, _) => Task.CompletedTask;

    /// <param name="ask">Told the method and its token: to count, to fail, to wait.</param>
    public static IVectorIndex Of(Func<string, CancellationToken, Task> ask)
    {
        var index = Create<IVectorIndex, AskedIndex>();
        ((AskedIndex)(object)index)._ask = ask;
        return index;
    }

#pragma warning disable CA2012 // as an object it goes to the caller of the interface's method, who awaits it once
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        nameof(IVectorIndex.ListAsync) => AnswerAsync<IReadOnlyList<CollectionInfo>>(targetMethod.Name, args!, []),
        nameof(IVectorIndex.ResolveAliasAsync) => AnswerAsync<AliasTarget?>(targetMethod.Name, args!, null),
        _ => throw new NotSupportedException(targetMethod.Name),
    };

#pragma warning restore CA2012

    private async ValueTask<T> AnswerAsync<T>(string method, object?[] args, T answer)
    {
        await _ask(method, (CancellationToken)args[^1]!);
        return answer;
    }
}
