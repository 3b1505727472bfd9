using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class TextImageStepTests
{
    private const int Columns = 11;
    private static readonly string s_folder = Path.Combine(Golden.Folder("encoder"), "tiny-clip", "model");

    private static float[] Noise(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(2 * random.NextDouble() - 1))];
    }

    private static (int[][] Tokens, float[]?[] Pixels, Tensor X) Batch(TextImageEncoder encoder) => (
        [.. TinyEncoder.Texts(Columns).Select(text => encoder.Text.Tokenize(text))],
        [.. Enumerable.Range(0, Columns).Select(column => column % 4 == 1 ? null : Noise(3 * encoder.Image.ImageSize * encoder.Image.ImageSize, column))],
        tensor([.. Noise(8 * Columns, 99).Select(v => v > 0.2f ? 1f : 0f)], [8, Columns]));

    private static Tensor LossOfOneGraph(TextImageEncoder encoder, int[][] tokens, float[]?[] pixels, Tensor x)
    {
        long[] rows = [.. Enumerable.Range(0, Columns).Where(column => pixels[column] is not null).Select(column => (long)column)];
        Tensor images = encoder.Image.Forward(tensor(rows.SelectMany(row => pixels[row]!).ToArray(), [rows.Length, 3, encoder.Image.ImageSize, encoder.Image.ImageSize]));
        return BeeFormerStep.Loss(encoder.Combine(encoder.Text.Forward(tokens), images, tensor(rows)), x, topK: 0);
    }

    private static float Accumulate(TextImageEncoder encoder, int chunk, int[][] tokens, float[]?[] pixels, Tensor x)
    {
        var texts = new BeeFormerStep(encoder.Text, chunk);
        return texts.Accumulate(tokens, new TextImageStep(encoder, chunk, item => pixels[item]).Through([.. Enumerable.Range(0, Columns)], texts.LossOf(x)));
    }

    private static (string Name, Tensor Value)[] Learned(TextImageEncoder encoder) => [.. encoder.Text.Parameters, .. encoder.Image.Parameters, ("ln w", encoder.LogWeight)];

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(Columns)]
    public void Gradients_of_chunks_are_those_of_one_graph_in_both_towers_and_the_weight(int chunk)
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_folder);
        using var scope = NewDisposeScope();
        (int[][] tokens, float[]?[] pixels, Tensor x) = Batch(encoder);
        Tensor naive = LossOfOneGraph(encoder, tokens, pixels, x);
        naive.backward();
        Tensor?[] expected = [.. Learned(encoder).Select(p => p.Value.grad?.clone())];
        foreach ((_, Tensor value) in Learned(encoder)) value.grad?.zero_();

        float loss = Accumulate(encoder, chunk, tokens, pixels, x);

        Assert.Equal(naive.data<float>()[0], loss, 1e-6f);
        Assert.NotNull(expected[^1]);
        float largest = expected.Max(g => g is null ? 0 : g.abs().max().data<float>()[0]);
        Assert.True(largest > 0);
        foreach (((string name, Tensor value), Tensor? gradient) in Learned(encoder).Zip(expected))
            if (gradient is not null) Assert.True((value.grad! - gradient).abs().max().data<float>()[0] <= 1e-4 * largest, name);
    }

    [Fact]
    public void Gradient_of_the_weight_is_the_slope_of_the_loss()
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_folder);
        using var scope = NewDisposeScope();
        (int[][] tokens, float[]?[] pixels, Tensor x) = Batch(encoder);
        Accumulate(encoder, 4, tokens, pixels, x);
        float gradient = encoder.LogWeight.grad!.data<float>()[0];

        float At(float log)
        {
            using IDisposable still = no_grad();
            encoder.LogWeight.copy_(tensor(new[] { log }));
            return LossOfOneGraph(encoder, tokens, pixels, x).data<float>()[0];
        }
        const float Step = 0.1f;
        float slope = (At(Step) - At(-Step)) / (2 * Step);
        Assert.True(Math.Abs(gradient) > 1e-6, $"{gradient}");
        Assert.Equal(slope, gradient, Math.Abs(slope) * 0.05f);
    }

    [Fact]
    public void Columns_without_pictures_leave_the_image_tower_alone()
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_folder);
        using var scope = NewDisposeScope();
        (int[][] tokens, _, Tensor x) = Batch(encoder);
        float loss = Accumulate(encoder, 4, tokens, new float[]?[Columns], x);
        Assert.Equal(BeeFormerStep.Loss(encoder.Text.Forward(tokens), x, topK: 0).data<float>()[0], loss, 1e-6f);
        Assert.All(encoder.Image.Parameters, p => Assert.Null(p.Value.grad));
    }
}
