using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class EncoderOutputCacheTests : IDisposable
{
    private const int Dimension = 5;
    private static readonly Fingerprint s_encoder = new(new string('a', 64));
    private readonly string _folder = Directory.CreateTempSubdirectory("outputs-").FullName;
    private readonly List<string> _encoded = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string FilePath => Path.Combine(_folder, s_encoder.Value + ".outputs");

    private EmbeddingMatrix Encode(IReadOnlyList<string> texts)
    {
        lock (_encoded) _encoded.AddRange(texts);
        return new EmbeddingMatrix([.. texts.SelectMany(text => Enumerable.Range(1, Dimension).Select(i => text.Length + 0.1f * i))], Dimension);
    }

    private EmbeddingMatrix Get(EncoderOutputCache cache, params string[] texts) => cache.GetOrCompute(s_encoder, Dimension, texts, Encode, null, CancellationToken.None);

    [Fact]
    public void Known_text_is_not_encoded_again_even_after_reopening()
    {
        float[] first;
        using (var cache = new EncoderOutputCache(_folder)) first = Get(cache, "one", "three", "one").Values;
        Assert.Equal(["one", "three"], _encoded);
        using (var cache = new EncoderOutputCache(_folder)) Assert.Equal(first, Get(cache, "one", "three", "one").Values);
        Assert.Equal(["one", "three"], _encoded);
        Assert.Equal(3 + 0.1f, first[0]);
        Assert.Equal(5 + 0.1f, first[Dimension]);
    }

    [Fact]
    public void Other_encoder_has_outputs_of_its_own()
    {
        using var cache = new EncoderOutputCache(_folder);
        Get(cache, "one");
        cache.GetOrCompute(new Fingerprint(new string('b', 64)), Dimension, ["one"], Encode, null, CancellationToken.None);
        Assert.Equal(["one", "one"], _encoded);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(59)]
    public void Torn_tail_is_dropped_and_the_rest_is_kept(int bytesLost)
    {
        using (var cache = new EncoderOutputCache(_folder)) Get(cache, "one", "three");
        using (var file = File.OpenWrite(FilePath)) file.SetLength(file.Length - bytesLost);
        _encoded.Clear();
        using (var cache = new EncoderOutputCache(_folder)) Assert.Equal(5 + 0.1f, Get(cache, "one", "three").Row(1)[0]);
        Assert.Equal(["three"], _encoded);
        _encoded.Clear();
        using (var cache = new EncoderOutputCache(_folder)) Get(cache, "one", "three");
        Assert.Empty(_encoded);
    }

    [Fact]
    public void Damaged_record_is_encoded_again()
    {
        using (var cache = new EncoderOutputCache(_folder)) Get(cache, "one", "three");
        byte[] bytes = File.ReadAllBytes(FilePath);
        bytes[16 + 32 + 2] ^= 1; // first value of the first record
        File.WriteAllBytes(FilePath, bytes);
        _encoded.Clear();
        using (var cache = new EncoderOutputCache(_folder)) Assert.Equal(3 + 0.1f, Get(cache, "one", "three").Row(0)[0]);
        Assert.Equal(["one"], _encoded);
    }

    [Fact]
    public void File_of_another_dimension_is_refused_by_name()
    {
        using (var cache = new EncoderOutputCache(_folder)) Get(cache, "one");
        using var again = new EncoderOutputCache(_folder);
        var refusal = Assert.Throws<InvalidDataException>(() => again.GetOrCompute(s_encoder, Dimension + 1, ["one"], Encode, null, CancellationToken.None));
        Assert.Contains(FilePath, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_asked_for_by_many_threads_is_stored_once()
    {
        string[] texts = [.. Enumerable.Range(0, 700).Select(i => new string('x', i))];
        using (var cache = new EncoderOutputCache(_folder))
            Parallel.For(0, 8, _ => Assert.Equal(699 + 0.1f, Get(cache, texts).Row(699)[0]));
        Assert.Equal(16 + 700 * (32 + 4 * Dimension + 8), new FileInfo(FilePath).Length);
    }

    [Fact]
    public void Work_done_before_a_failure_is_kept()
    {
        string[] texts = [.. Enumerable.Range(0, 1000).Select(i => new string('x', i))];
        using (var cache = new EncoderOutputCache(_folder))
        {
            int calls = 0;
            Assert.Throws<IOException>(() => cache.GetOrCompute(s_encoder, Dimension, texts, t => calls++ == 0 ? Encode(t) : throw new IOException("stop"), null, CancellationToken.None));
        }
        int kept = _encoded.Count;
        Assert.InRange(kept, 1, 999);
        using (var cache = new EncoderOutputCache(_folder)) Get(cache, texts);
        Assert.Equal(1000, _encoded.Count);
    }

    // A text's length names its output: see Encode. 60 bytes a record.
    private static string[] Texts(int from, int count) => [.. Enumerable.Range(from, count).Select(n => new string('x', n))];

    private long OnDisk => new DirectoryInfo(_folder).EnumerateFiles().Sum(file => file.Length);

    private Fingerprint Other { get; } = new(new string('b', 64));

    [Fact]
    public void Bounded_cache_drops_the_oldest_outputs_and_keeps_the_newest()
    {
        const long maxBytes = 16 * 1024;
        using (var cache = new EncoderOutputCache(_folder, maxBytes))
            for (int n = 0; n < 1000; n += 10)
            {
                Get(cache, Texts(n, 10));
                Assert.InRange(OnDisk, 1, maxBytes + maxBytes / 16 + 10 * 60);
            }
        using (var cache = new EncoderOutputCache(_folder, maxBytes))
        {
            _encoded.Clear();
            Assert.Equal(999 + 0.1f, Get(cache, Texts(900, 100)).Row(99)[0]);
            Assert.Empty(_encoded);
            Get(cache, Texts(0, 10));
            Assert.Equal(10, _encoded.Count);
        }
    }

    [Fact]
    public void Outputs_of_an_encoder_that_nobody_uses_any_more_go_first()
    {
        const long maxBytes = 64 * 1024;
        var time = DateTime.UtcNow;
        using (var cache = new EncoderOutputCache(_folder, maxBytes)) Get(cache, Texts(0, 300));
        using (var cache = new EncoderOutputCache(_folder, maxBytes)) cache.GetOrCompute(Other, Dimension, Texts(0, 600), Encode, null, CancellationToken.None);
        foreach (string file in Directory.GetFiles(_folder, Other.Value + "*")) File.SetLastWriteTimeUtc(file, time.AddDays(-2));
        foreach (string file in Directory.GetFiles(_folder, s_encoder.Value + "*")) File.SetLastWriteTimeUtc(file, time.AddDays(-3)); // older, but used now
        using (var cache = new EncoderOutputCache(_folder, maxBytes))
        {
            for (int n = 300; n < 1000; n += 50) Get(cache, Texts(n, 50));
            _encoded.Clear();
            Get(cache, Texts(0, 1000));
            Assert.Empty(_encoded);
        }
        Assert.True(Directory.GetFiles(_folder, Other.Value + "*").Length == 0 || OnDisk <= maxBytes);
        Assert.InRange(OnDisk, 1, maxBytes);
    }

    [Fact]
    public void Missing_file_between_others_is_what_eviction_cut_short_leaves_and_costs_its_outputs_alone()
    {
        using (var cache = new EncoderOutputCache(_folder, 16 * 1024))
            for (int n = 0; n < 100; n += 10) Get(cache, Texts(n, 10));
        string[] files = [.. Directory.GetFiles(_folder).Order(StringComparer.Ordinal)];
        Assert.True(files.Length > 3, $"{files.Length} files");
        File.Delete(Path.Combine(_folder, s_encoder.Value + ".2.outputs"));
        _encoded.Clear();
        using (var cache = new EncoderOutputCache(_folder, 16 * 1024)) Assert.Equal(99 + 0.1f, Get(cache, Texts(0, 100)).Row(99)[0]);
        Assert.InRange(_encoded.Count, 1, 30);
        _encoded.Clear();
        using (var cache = new EncoderOutputCache(_folder, 16 * 1024)) Get(cache, Texts(0, 100));
        Assert.Empty(_encoded);
    }

    [Fact]
    public void Readers_go_on_while_outputs_are_dropped()
    {
        using var cache = new EncoderOutputCache(_folder, 8 * 1024);
        Parallel.For(0, 8, thread =>
        {
            for (int n = 0; n < 40; n++)
            {
                var outputs = Get(cache, Texts((thread * 37 + n * 11) % 400, 20));
                for (int row = 0; row < 20; row++) Assert.Equal((thread * 37 + n * 11) % 400 + row + 0.1f, outputs.Row(row)[0]);
            }
        });
    }
}
