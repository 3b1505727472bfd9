using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// The chunks of one step on this machine and its workers. Gradients are summed share by share in the order of the shares, whoever computed them and whenever they came: the result is the same
/// whoever is there.
/// </summary>
internal sealed class SpreadPass(int[][][] chunks, TrainingWorkers workers) : IChunkPass
{
    private readonly Share[] _shares = Share.Cut(chunks, workers.Shares);
    private readonly ChunkEncoder _own = workers.Own;
    private RemoteWorker?[] _hadBy = [];

    public Tensor Embed()
    {
        _own.Forget();
        workers.BeginStep();
        _hadBy = new RemoteWorker?[_shares.Length];
        var rows = new byte[chunks.Length][];
        new ShareDeal<byte[][]>(_hadBy, first: true).Run(workers.Ready,
            share => [.. _shares[share].Chunks.Select(n => _own.Embed(n, chunks[n]))],
            (worker, share, token) => worker.EmbedAsync(_shares[share].First, chunks[_shares[share].First.._shares[share].End], token),
            (share, result) => result.CopyTo(rows, _shares[share].First));
        Tensor embeddings = empty(chunks.Sum(chunk => chunk.Length), _own.Dimension);
        Span<byte> target = embeddings.bytes;
        foreach (byte[] chunk in rows)
        {
            chunk.CopyTo(target);
            target = target[chunk.Length..];
        }
        return embeddings.to(_own.Weights[0].device);
    }

    public void BackPropagate(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        byte[][] slices = Slices(gradient);
        // The gradients that are there already come first.
        Tensor[] sum = [.. _own.Weights.Select(weight => weight.grad?.clone() ?? zeros_like(weight, requires_grad: false))];
        _own.ClearGradients();
        var early = new Dictionary<int, byte[][]>();
        int next = 0;
        new ShareDeal<byte[][]>(_hadBy, first: false).Run(workers.Ready,
            share =>
            {
                foreach (int n in _shares[share].Chunks) _own.BackPropagate(n, chunks[n], slices[n]);
                return _own.TakeGradients();
            },
            (worker, share, token) => worker.BackPropagateAsync(_shares[share].First, chunks[_shares[share].First.._shares[share].End], slices[_shares[share].First.._shares[share].End], token),
            (share, result) =>
            {
                early[share] = result;
                while (early.Remove(next, out byte[][]? its))
                {
                    TensorBytes.Add(its, sum);
                    next++;
                }
            });
        for (int n = 0; n < sum.Length; n++) Set(_own.Weights[n], sum[n]);
    }

    private byte[][] Slices(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        ReadOnlySpan<byte> all = gradient.detach().to_type(ScalarType.Float32).cpu().contiguous().bytes;
        var slices = new byte[chunks.Length][];
        for (int n = 0; n < chunks.Length; n++)
        {
            int bytes = chunks[n].Length * _own.Dimension * sizeof(float);
            slices[n] = all[..bytes].ToArray();
            all = all[bytes..];
        }
        return slices;
    }

    private static void Set(Tensor weight, Tensor gradient)
    {
        using var noGradients = no_grad();
        if (weight.grad is { } present) present.copy_(gradient);
        else weight.grad = gradient.DetachFromDisposeScope();
    }

    public void Dispose() => _own.Forget();
}
