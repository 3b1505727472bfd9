using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Shoppers choose by one of four patterns that only the pictures show; texts are drawn without regard to it. New items, never trained on, are to be found.</summary>
public sealed class TextImageTrainingTests
{
    private const int Tastes = 4, Known = 24, New = 16, Users = 40, Steps = 30;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Training_with_pictures_finds_new_items_by_what_only_pictures_show(int seed)
    {
        float with = RecallOfNewItems(seed, pictures: true), without = RecallOfNewItems(seed, pictures: false);
        Assert.True(with >= without + 0.3f, $"with pictures {with}, without {without}");
    }

    /// <summary>Share of the new items of a shopper's pattern among as many ranked first, mean over shoppers. An item's pattern is its number modulo 4.</summary>
    private static float RecallOfNewItems(int seed, bool pictures)
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(Path.Combine(Golden.Folder("encoder"), "tiny-clip", "model"));
        var random = new Random(seed);
        int[][] tokens = [.. Enumerable.Range(0, Known + New).Select(_ => encoder.Text.Tokenize($"item {random.Next(100_000)}"))];
        float[]?[] pixels = [.. Enumerable.Range(0, Known + New).Select(item => pictures ? Pattern(item % Tastes, encoder.Image.ImageSize, random) : null)];
        float[] interactions = [.. Enumerable.Range(0, Users * Known).Select(n => n / Known % Tastes == n % Known % Tastes && random.NextDouble() < 0.7 ? 1f : 0f)];

        using var scope = NewDisposeScope();
        Tensor x = tensor(interactions, [Users, Known]);
        Tensor[] learned = [.. encoder.Text.Parameters.Select(p => p.Value), .. pictures ? [.. encoder.Image.Parameters.Select(p => p.Value), encoder.LogWeight] : Array.Empty<Tensor>()];
        using var optimizer = new NAdam(learned);
        var step = new TextImageStep(encoder, 8);
        for (int n = 0; n < Steps; n++)
        {
            using var stepScope = NewDisposeScope();
            step.Accumulate(tokens[..Known], pixels[..Known], x);
            optimizer.Step(1e-3, maxNorm: 1);
        }

        using IDisposable still = no_grad();
        Tensor? images = pictures ? encoder.Image.Forward(tensor(pixels.SelectMany(p => p!).ToArray(), [Known + New, 3, encoder.Image.ImageSize, encoder.Image.ImageSize])) : null;
        Tensor e = encoder.Combine(encoder.Text.Forward(tokens), images, pictures ? arange(Known + New) : null);
        float[] scores = x.mm(e.narrow(0, 0, Known)).mm(e.narrow(0, Known, New).t()).contiguous().data<float>().ToArray(); // [users, new items]
        return Enumerable.Range(0, Users).Average(user =>
            Enumerable.Range(0, New).OrderByDescending(item => scores[user * New + item]).Take(New / Tastes).Count(item => item % Tastes == user % Tastes) / (float)(New / Tastes));
    }

    /// <summary>Stripes along, stripes across, a chessboard, or plain; all with noise of the same size.</summary>
    private static float[] Pattern(int taste, int size, Random random) => [.. Enumerable.Range(0, 3 * size * size).Select(n =>
    {
        int row = n / size % size / 4, column = n % size / 4;
        bool light = taste switch { 0 => row % 2 == 0, 1 => column % 2 == 0, 2 => (row + column) % 2 == 0, _ => true };
        return (light ? 1f : -1f) + (float)(random.NextDouble() - 0.5);
    })];
}
