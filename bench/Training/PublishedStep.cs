using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Training;

/// <summary>
/// The way the method was published: the whole catalogue tokenised and padded to its longest text, users and all their items with negatives, a first pass without graph,
/// then the chunks again with one; all layers learn.
/// </summary>
internal sealed class PublishedStep : ISide
{
    private readonly SentenceEncoder _encoder;
    private readonly NAdam _optimizer;
    private readonly ColumnSampler _sampler;
    private readonly int[][] _tokens;
    private readonly int _longest, _items, _chunk;
    private readonly IEnumerator<int[]> _users;

    public PublishedStep(string name, Shop shop, string model, int? maxTokens, int items, int users, int chunk)
    {
        (Name, _items, _chunk) = (name, items, chunk);
        _encoder = SentenceEncoder.Load(model, maxTokens);
        _tokens = [.. shop.Texts.Select(text => _encoder.Tokenize(text))];
        _longest = _tokens.Max(t => t.Length);
        _optimizer = new NAdam([.. _encoder.Parameters.Select(p => p.Value)]);
        _sampler = new ColumnSampler(shop.Interactions, 1);
        _users = Enumerable.Repeat(0, int.MaxValue).SelectMany(_ => _sampler.UserBatches(users)).GetEnumerator();
    }

    public string Name { get; }

    public int Step()
    {
        _users.MoveNext();
        TrainingBatch batch = _sampler.Users(_users.Current, _items);
        using var scope = NewDisposeScope();
        int[][] chunks = [.. batch.Columns.Chunk(_chunk)];
        Tensor[] rows = [.. chunks.Select(chunk =>
        {
            using var noGradients = no_grad();
            return Forward(chunk);
        })];
        Tensor a = cat(rows).requires_grad_();
        BeeFormerStep.Loss(a, tensor(batch.X, batch.Rows, batch.Columns.Length), 0).backward();
        long first = 0;
        foreach (int[] chunk in chunks)
        {
            using var chunkScope = NewDisposeScope();
            Forward(chunk).backward([a.grad!.narrow(0, first, chunk.Length)]);
            first += chunk.Length;
        }
        _optimizer.Step(1e-5);
        return batch.Columns.Length;
    }

    /// <summary>[items, dimension]</summary>
    private Tensor Forward(int[] items)
    {
        using var scope = NewDisposeScope();
        var (ids, positions, mask) = (new long[items.Length * _longest], new long[items.Length * _longest], new bool[items.Length * _longest]);
        for (int row = 0; row < items.Length; row++)
        {
            int[] own = _tokens[items[row]];
            for (int n = 0; n < own.Length; n++) ids[row * _longest + n] = own[n];
            _encoder.Transformer.Positions(own, positions.AsSpan(row * _longest, own.Length));
            mask.AsSpan(row * _longest, own.Length).Fill(true);
        }
        long[] shape = [items.Length, _longest];
        var batch = new PaddedTokens(tensor(ids, shape), tensor(positions, shape), tensor(mask, shape));
        return _encoder.Upper(_encoder.Lower(batch, 0), batch, 0).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _users.Dispose();
        _optimizer.Dispose();
        _encoder.Dispose();
    }
}
