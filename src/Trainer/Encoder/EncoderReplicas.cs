using System.Runtime.ExceptionServices;
using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// An encoder and its copies on further devices, which share out the chunks of a step: before it they get the weights of the first, after it their gradients are added to those of the first,
/// always in the same order. The sum is that of one device, in another order of additions.
/// </summary>
internal sealed class EncoderReplicas : IDisposable
{
    private readonly SentenceEncoder[] _encoders;
    private readonly Device[] _devices;
    /// <summary>What learns, by replica.</summary>
    private readonly Tensor[][] _weights;

    /// <param name="first">On the first device; stays the caller's.</param>
    /// <param name="devices">One a replica; may name a device several times.</param>
    /// <param name="frozen">Lowest layers that keep their weights.</param>
    public EncoderReplicas(SentenceEncoder first, IReadOnlyList<Device> devices, int frozen = 0)
    {
        _devices = [.. devices];
        _encoders = [first, .. devices.Skip(1).Select(first.CloneTo)];
        foreach (SentenceEncoder copy in _encoders.Skip(1))
            foreach ((_, Tensor value) in copy.Parameters) value.requires_grad_(false);
        _weights = [.. _encoders.Select(encoder => encoder.ParametersAbove(frozen).Select(p => p.Value).ToArray())];
        foreach (Tensor weight in _weights.Skip(1).SelectMany(w => w)) weight.requires_grad_(true);
    }

    public int Count => _encoders.Length;

    public SentenceEncoder this[int replica] => _encoders[replica];

    public Device DeviceOf(int replica) => _devices[replica];

    /// <summary>The copies take over the weights of the first.</summary>
    public void Refresh()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        for (int copy = 1; copy < Count; copy++)
            for (int n = 0; n < _weights[0].Length; n++) _weights[copy][n].copy_(_weights[0][n]);
    }

    /// <summary>Does the work of every replica at once: the first on this thread, each other one on a thread of its own. Those that compute on the CPU part its threads among them.</summary>
    public void ForEach(Action<int> work)
    {
        if (Count == 1)
        {
            work(0);
            return;
        }
        int threads = get_num_threads(), each = Math.Max(1, threads / Math.Max(1, _devices.Count(device => device.type == DeviceType.CPU)));
        var failures = new Exception?[Count];
        void Run(int replica)
        {
            try
            {
                set_num_threads(each);
                work(replica);
            }
            catch (Exception exception)
            {
                failures[replica] = exception;
            }
        }
        Thread[] others = [.. Enumerable.Range(1, Count - 1).Select(replica => new Thread(() => Run(replica)) { IsBackground = true, Name = $"training, replica {replica}" })];
        foreach (Thread thread in others) thread.Start();
        Run(0);
        foreach (Thread thread in others) thread.Join();
        set_num_threads(threads);
        if (failures.FirstOrDefault(failure => failure is not null) is { } first) ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>Adds the gradients of the copies to those of the first, and clears them.</summary>
    public void SumGradients()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        for (int copy = 1; copy < Count; copy++)
            for (int n = 0; n < _weights[0].Length; n++)
            {
                if (_weights[copy][n].grad is not { } gradient) continue;
                _weights[0][n].grad!.PlusInPlace(gradient.to(_devices[0]));
                gradient.zero_();
            }
    }

    public void Dispose()
    {
        foreach (SentenceEncoder copy in _encoders.Skip(1)) copy.Dispose();
    }
}
