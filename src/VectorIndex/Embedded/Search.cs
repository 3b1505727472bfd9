using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <param name="Vector">[dimension], length 1.</param>
internal sealed record PreparedQuery(float[] Vector, int K, ItemFilter Filter, bool Exact)
{
    public QueryCodes Codes { get; } = new(Vector);
}

/// <summary>
/// Searches of one snapshot that share a pass over its codes. The filter says which rows count; the products of codes give each of them an estimate and a bound on its error; rows that may be among the k best by these
/// are scored by their float vectors. A second thread helps with large passes where a core is free.
/// </summary>
internal sealed unsafe class Search : IDisposable
{
    private const int MinDense = 6; // of 64 rows
    private const int PrefetchBytes = 8192;
    private const int WordsPerStep = 64; // of 64 rows each
    public const long MinBytesForTwo = 8 << 20;
    private static int running; // searches and their second threads, in this process

    private readonly Snapshot snapshot;
    private readonly PreparedQuery[] queries;
    private readonly RowMarks[][] wanted; // [query][part]
    private readonly List<RowMarks> rented = [];
    private readonly List<(int Part, int Word)> steps = [];
    private readonly float[] thresholds; // what is known of each query's k-th best, by whichever thread
    private readonly List<Candidates[]> found = []; // of each thread
    private int nextStep;

    /// <param name="approximate">Queries that are not exact look into the nearest lists alone.</param>
    private Search(Snapshot snapshot, PreparedQuery[] queries, bool approximate)
    {
        (this.snapshot, this.queries) = (snapshot, queries);
        thresholds = new float[queries.Length];
        thresholds.AsSpan().Fill(float.NegativeInfinity);
        wanted = new RowMarks[queries.Length][];
        var byFilter = new Dictionary<ItemFilter, RowMarks[]>(ReferenceEqualityComparer.Instance);
        try
        {
            for (int n = 0; n < queries.Length; n++)
            {
                if (!byFilter.TryGetValue(queries[n].Filter, out var marks)) byFilter[queries[n].Filter] = marks = [.. snapshot.Parts.Select(part => Rent(RowMarks.Of(queries[n].Filter, part, part.Part.Available)))];
                wanted[n] = approximate && !queries[n].Exact ? [.. snapshot.Parts.Select((part, at) => InNearestLists(queries[n], part.Part, marks[at]))] : marks;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        for (int part = 0; part < snapshot.Parts.Length; part++)
            for (int word = 0; word < snapshot.Parts[part].Words; word += WordsPerStep) steps.Add((part, word));
    }

    public static IReadOnlyList<ScoredItem>[] Run(Snapshot snapshot, PreparedQuery[] queries, bool approximate)
    {
        Interlocked.Increment(ref running);
        try
        {
            using var search = new Search(snapshot, queries, approximate);
            search.Scan();
            return [.. queries.Select((_, n) => search.Best(n))];
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    public void Dispose()
    {
        foreach (var marks in rented) marks.Dispose();
    }

    private RowMarks Rent(RowMarks marks)
    {
        rented.Add(marks);
        return marks;
    }

    private RowMarks InNearestLists(PreparedQuery query, Part part, RowMarks marks) =>
        part.Lists is { } lists && lists.Choose(query.Codes, query.K, (double)marks.Sum() / lists.Starts[lists.Count]) is { } chosen ? Rent(marks.InLists(lists, chosen)) : marks;

    private void Scan()
    {
        long words = 0;
        foreach (var marks in wanted)
            foreach (var some in marks)
                foreach (ulong word in some.Words) words += word == 0 ? 0 : 1;
        if (words * 64 * snapshot.Parts[0].Part.Stride < MinBytesForTwo)
        {
            ScanSteps();
            return;
        }
        const int NotStarted = 0, Started = 1, Closed = 2;
        int state = NotStarted;
        var help = Task.CompletedTask;
        if (Interlocked.Increment(ref running) <= Environment.ProcessorCount)
            help = Task.Run(() =>
            {
                if (Interlocked.CompareExchange(ref state, Started, NotStarted) == NotStarted) ScanSteps();
            });
        ScanSteps();
        if (Interlocked.CompareExchange(ref state, Closed, NotStarted) == Started) help.GetAwaiter().GetResult(); // in the middle of its last step
        Interlocked.Decrement(ref running);
    }

    private void ScanSteps()
    {
        var candidates = Array.ConvertAll(queries, query => new Candidates(query.K));
        int* products = stackalloc int[2 * 64];
        while (Interlocked.Increment(ref nextStep) - 1 is var step && step < steps.Count)
        {
            var (at, firstWord) = steps[step];
            var part = snapshot.Parts[at].Part;
            int end = Math.Min(firstWord + WordsPerStep, snapshot.Parts[at].Words);
            for (int word = firstWord; word < end; word++)
            {
                int ahead = PrefetchBytes; // the first query brings the codes, the others find them
                byte* codes = part.CodeRows + 64L * word * part.Stride;
                for (int n = 0; n < queries.Length; n++)
                {
                    ulong read = Read(part, at, word, n);
                    if (read == 0) continue;
                    int far = read == ulong.MaxValue ? ahead : 0, first = n;
                    if (n + 1 < queries.Length && Read(part, at, word, n + 1) == read) CodeProducts.BestOfTwo(codes, part.Stride, queries[n].Codes.Pointer, queries[++n].Codes.Pointer, read, products, far);
                    else CodeProducts.Best(codes, part.Stride, queries[n].Codes.Pointer, read, products, far);
                    ahead = 0;
                    for (int query = first; query <= n; query++)
                        Gather(products + 64 * (query - first), wanted[query][at].Words[word], part, at, 64 * word, queries[query].Codes, candidates[query], ref thresholds[query]);
                }
            }
        }
        lock (found) found.Add(candidates);
    }

    /// <summary>The rows whose codes are read. Where several of 64 are wanted, reading all of them in order is faster than picking these.</summary>
    private ulong Read(Part part, int at, int word, int query)
    {
        ulong rows = wanted[query][at].Words[word];
        return BitOperations.PopCount(rows) >= MinDense && part.Items[word] == ulong.MaxValue ? ulong.MaxValue : rows;
    }

    /// <summary>Keeps the rows whose score may reach the k-th best: estimate ± bound holds it, where bound = ‖q̂‖ · ‖x − x̂‖ + ‖q − q̂‖ · ‖x‖.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(int* products, ulong rows, Part part, int at, int firstRow, QueryCodes query, Candidates candidates, ref float threshold)
    {
        float own = query.Error * 1.00001f + Codes.Slack;
        for (int n = 0; n < 64; n += 16)
        {
            uint some = (uint)(rows >> n) & 0xFFFF;
            if (some == 0) continue;
            var estimates = Vector512.ConvertToSingle(Vector512.Load(products + n) - Vector512.Create(query.Offset)) * (Vector512.Load(part.Scales + firstRow + n) * query.Scale);
            var bounds = Vector512.Load(part.Errors + firstRow + n) * query.Length + Vector512.Create(own);
            var highest = estimates + bounds;
            some &= (uint)Vector512.GreaterThanOrEqual(highest, Vector512.Create(threshold)).ExtractMostSignificantBits();
            for (; some != 0; some &= some - 1)
            {
                int lane = BitOperations.TrailingZeroCount(some);
                float least = candidates.Add(at, firstRow + n + lane, highest[lane], estimates[lane] - bounds[lane]);
                if (least > threshold) threshold = least; // another thread's may be overwritten: each of them holds
            }
        }
    }

    private ScoredItem[] Best(int query)
    {
        float threshold = float.NegativeInfinity;
        foreach (var thread in found) threshold = MathF.Max(threshold, thread[query].Least);
        var candidates = found.SelectMany(thread => thread[query].Rows).Where(row => row.Highest >= threshold).ToArray();
        Array.Sort(candidates, (a, b) => b.Highest.CompareTo(a.Highest));
        int k = Math.Min(queries[query].K, candidates.Length);
        var worstFirst = new PriorityQueue<RowPlace, (double Score, RowPlace Place)>(Comparer<(double Score, RowPlace Place)>.Create(
            (a, b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : b.Place.Part.ItemId(b.Place.Row).CompareTo(a.Place.Part.ItemId(a.Place.Row))));
        foreach (var candidate in candidates)
        {
            if (worstFirst.Count == k && worstFirst.TryPeek(out _, out var worst) && candidate.Highest < worst.Score) break;
            var place = new RowPlace(snapshot.Parts[candidate.Part].Part, candidate.Row);
            double score = ExactProduct.Of(queries[query].Vector, place.Part.Vector(place.Row));
            if (worstFirst.Count < k) worstFirst.Enqueue(place, (score, place));
            else worstFirst.EnqueueDequeue(place, (score, place));
        }
        var ranked = new ScoredItem[worstFirst.Count];
        for (int n = ranked.Length - 1; n >= 0; n--)
        {
            worstFirst.TryDequeue(out var place, out var rank);
            ranked[n] = new ScoredItem(place.Part.ItemId(place.Row), (float)rank.Score, ItemPayload.Title(place.Part.Payload(place.Row)));
        }
        return ranked;
    }
}

/// <summary>Rows that may be among the k best, by estimate and bound.</summary>
internal sealed class Candidates(int k)
{
    private readonly PriorityQueue<bool, float> lowest = new(); // the k greatest lower bounds of scores

    public List<(int Part, int Row, float Highest)> Rows { get; } = [];

    /// <summary>k scores are at least this.</summary>
    public float Least { get; private set; } = float.NegativeInfinity;

    /// <returns><see cref="Least"/></returns>
    public float Add(int part, int row, float highest, float lowestScore)
    {
        // Most have fallen behind; where not half of them have, looking again at the next one would not pay.
        if (Rows.Count == Rows.Capacity && Rows.RemoveAll(known => known.Highest < Least) < Rows.Capacity / 2) Rows.EnsureCapacity(2 * Rows.Capacity);
        Rows.Add((part, row, highest));
        if (lowest.Count < k) lowest.Enqueue(true, lowestScore);
        else if (lowestScore > Least) lowest.EnqueueDequeue(true, lowestScore);
        else return Least;
        if (lowest.Count == k && lowest.TryPeek(out _, out float least)) Least = least;
        return Least;
    }
}
