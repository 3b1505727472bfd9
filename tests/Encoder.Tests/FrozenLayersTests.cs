using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class FrozenLayersTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly SentenceEncoder encoder = SentenceEncoder.Load(Path.Combine(Golden.Repository, "tests", "golden", "encoder", "tiny-bert-cls", "model"));
    private readonly int[][] tokens;

    public FrozenLayersTests() => tokens = [.. new[] { "the cat sat", "a river", "the quick brown fox jumps over it" }.Select(text => encoder.Tokenize(text))];

    public void Dispose()
    {
        encoder.Dispose();
        folder.Dispose();
    }

    private float[] Through(FrozenLayers frozen)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. frozen.Forward(tokens).data<float>()];
    }

    private float[] Whole()
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. encoder.Forward(tokens).data<float>()];
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Kept_outputs_give_the_whole_encoder_to_float16(int layers)
    {
        using var frozen = new FrozenLayers(encoder, layers, folder.Path, 1 << 20);
        float[] first = Through(frozen);
        Golden.AssertClose(Whole(), first, 2e-3, "rounded to float16");
        Assert.Equal(first, Through(frozen));
    }

    [Theory, InlineData(0), InlineData(2)]
    public void In_bfloat16_vectors_and_gradients_keep_their_direction_and_are_float32(int layers)
    {
        float[] Vectors(ScalarType type)
        {
            using DisposeScope scope = NewDisposeScope();
            using FrozenLayers? frozen = layers > 0 ? new FrozenLayers(encoder, layers, null, 1 << 20) : null;
            Tensor vectors = frozen?.Forward(tokens, type) ?? encoder.Forward(tokens, type);
            Assert.Equal(ScalarType.Float32, vectors.dtype);
            foreach ((_, Tensor value) in encoder.Parameters) value.grad = null!;
            // Along fixed directions: vectors of length 1 have no gradient along themselves.
            Tensor directions = tensor([.. Enumerable.Range(0, (int)vectors.numel()).Select(n => MathF.Sin(n))], vectors.shape);
            (vectors * directions).sum().backward();
            return [.. vectors.data<float>()];
        }
        float[] Gradient() => [.. encoder.ParametersAbove(layers).SelectMany(p => p.Value.grad!.to_type(ScalarType.Float32).data<float>().ToArray())];
        float[] exact = Vectors(ScalarType.Float32), exactGradient = Gradient();
        float[] rounded = Vectors(ScalarType.BFloat16), roundedGradient = Gradient();
        Assert.All(encoder.ParametersAbove(layers), p => Assert.Equal(ScalarType.Float32, p.Value.grad!.dtype));
        Assert.NotEqual(exact, rounded);
        Assert.InRange(Cosine(exact, rounded), 0.999, 1);
        Assert.InRange(Cosine(exactGradient, roundedGradient), 0.99, 1);
    }

    private static double Cosine(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));

    [Fact]
    public void Gradients_reach_the_upper_layers_and_modules_alone()
    {
        using var frozen = new FrozenLayers(encoder, 2, folder.Path, 1 << 20);
        using (NewDisposeScope()) frozen.Forward(tokens).sum().backward();
        HashSet<string> learning = [.. encoder.ParametersAbove(2).Select(p => p.Name)];
        Assert.Contains("2_Dense/linear.weight", learning);
        Assert.DoesNotContain(learning, name => name.Contains("layer.1.", StringComparison.Ordinal) || name.Contains("embeddings", StringComparison.Ordinal));
        foreach ((string name, Tensor value) in encoder.Parameters) Assert.Equal(learning.Contains(name), value.grad is not null);
    }

    [Fact]
    public void A_torn_or_damaged_record_is_computed_again()
    {
        float[] expected;
        using (var frozen = new FrozenLayers(encoder, 2, folder.Path, 1 << 20)) expected = Through(frozen);
        string file = Directory.GetFiles(folder.Path).Single();
        byte[] bytes = File.ReadAllBytes(file);
        for (int cut = 0; cut < bytes.Length; cut += 97)
        {
            File.WriteAllBytes(file, bytes[..cut]);
            using (var frozen = new FrozenLayers(encoder, 2, folder.Path, 1 << 20)) Assert.Equal(expected, Through(frozen));
            Assert.Equal(bytes.Length, new FileInfo(file).Length);
        }
        bytes[200] ^= 1; // a value of the first record
        File.WriteAllBytes(file, bytes);
        using (var frozen = new FrozenLayers(encoder, 2, folder.Path, 1 << 20)) Assert.Equal(expected, Through(frozen));
    }

    [Fact]
    public void The_file_stays_within_its_bound()
    {
        float[] expected;
        using (var frozen = new FrozenLayers(encoder, 2, null, 1 << 20)) expected = Through(frozen);
        using (var frozen = new FrozenLayers(encoder, 2, folder.Path, 1000)) Assert.Equal(expected, Through(frozen));
        Assert.InRange(new FileInfo(Directory.GetFiles(folder.Path).Single()).Length, 16, 1000);
    }

    [Fact]
    public void A_file_of_something_else_is_refused()
    {
        using (new FrozenLayers(encoder, 2, folder.Path, 1000)) { }
        string file = Directory.GetFiles(folder.Path).Single();
        File.WriteAllText(file, "not outputs of layers at all");
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => new FrozenLayers(encoder, 2, folder.Path, 1000)).Message, StringComparison.Ordinal);
    }
}
