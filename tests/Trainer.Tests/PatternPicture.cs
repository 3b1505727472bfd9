using SkiaSharp;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>PNG files of 32 × 32 pixels with one of six patterns, faint on a ground of any colour: what an untrained encoder sees is the colour.</summary>
internal static class PatternPicture
{
    public const int Kinds = 6;
    private const int Edge = 32, Contrast = 40;

    public static byte[] Png(int kind, Random random)
    {
        using var bitmap = new SKBitmap(Edge, Edge, SKColorType.Rgba8888, SKAlphaType.Opaque);
        int[] ground = [random.Next(60, 196), random.Next(60, 196), random.Next(60, 196)];
        for (int y = 0; y < Edge; y++)
            for (int x = 0; x < Edge; x++)
            {
                int row = y / 4, column = x / 4;
                bool light = kind switch { 0 => row % 2 == 0, 1 => column % 2 == 0, 2 => (row + column) % 2 == 0, 3 => (row + column) / 2 % 2 == 0, 4 => column < 4, _ => row < 4 };
                int shade = light ? Contrast : -Contrast;
                bitmap.SetPixel(x, y, new SKColor((byte)(ground[0] + shade), (byte)(ground[1] + shade), (byte)(ground[2] + shade)));
            }
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
