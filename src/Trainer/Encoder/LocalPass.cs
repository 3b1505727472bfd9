using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The chunks of one step on devices of this machine, dealt to the replicas in turn.</summary>
/// <param name="encode">A chunk through the replica of this number: [texts, d].</param>
internal sealed class LocalPass(int[][][] chunks, EncoderReplicas replicas, Func<int[][], int, Tensor> encode, GraphMemory graphs) : IChunkPass
{
    private readonly bool[] _keep = [.. chunks.Select(graphs.TryTake)];
    private readonly Tensor?[] _outputs = new Tensor?[chunks.Length];   // with a graph where it is kept

    public Tensor Embed()
    {
        var rows = new Tensor?[chunks.Length];
        try
        {
            replicas.Refresh();
            replicas.ForEach(replica =>
            {
                for (int n = replica; n < chunks.Length; n += replicas.Count)
                {
                    using var chunkScope = NewDisposeScope();
                    using var gradients = set_grad_enabled(_keep[n]);
                    Tensor output = encode(chunks[n], replica);
                    if (_keep[n]) _outputs[n] = output.DetachFromDisposeScope();
                    rows[n] = output.detach().DetachFromDisposeScope();
                }
            });
            return cat([.. rows.Select(row => row!.to(replicas.DeviceOf(0)))]);
        }
        finally
        {
            foreach (Tensor? row in rows) row?.Dispose();
        }
    }

    public void BackPropagate(Tensor gradient)
    {
        int[] first = [.. chunks.Index().Select(c => chunks.Take(c.Index).Sum(chunk => chunk.Length))];
        replicas.ForEach(replica =>
        {
            using var withGradients = enable_grad();
            for (int n = replica; n < chunks.Length; n += replicas.Count)
            {
                using var chunkScope = NewDisposeScope();
                Tensor output = _outputs[n] ?? encode(chunks[n], replica);
                output.backward([gradient.narrow(0, first[n], chunks[n].Length).to(replicas.DeviceOf(replica))]);
                _outputs[n]?.Dispose();
            }
        });
        replicas.SumGradients();
    }

    public void Dispose()
    {
        foreach (Tensor? output in _outputs) output?.Dispose();
    }
}
