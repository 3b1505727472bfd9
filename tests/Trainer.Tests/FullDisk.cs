using System.Reflection;
using System.Runtime.ExceptionServices;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A model store whose disk is full for the first publications.</summary>
public class FullDisk : DispatchProxy
{
    private IModelStore _store = null!;
    private int _fails;

    public static IModelStore Before(IModelStore store, int fails)
    {
        IModelStore proxy = Create<IModelStore, FullDisk>();
        ((FullDisk)(object)proxy)._store = store;
        ((FullDisk)(object)proxy)._fails = fails;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IModelStore.PublishLive) && _fails-- > 0) throw new IOException("No space left on device : 'model.safetensors'");
        try
        {
            object? result = targetMethod.Invoke(_store, args);
            if (targetMethod.Name != nameof(IModelStore.Under)) return result;
            _store = (IModelStore)result!; // the disk stays as full as it is
            return this;
        }
        catch (TargetInvocationException failure)
        {
            ExceptionDispatchInfo.Throw(failure.InnerException!);
            throw;
        }
    }
}
