using SkiaSharp;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>PNG files of 32 × 32 pixels with one of six patterns, and noise, so that no two are the same.</summary>
internal static class PatternPicture
{
    public const int Kinds = 6;
    private const int Edge = 32;

    public static byte[] Png(int kind, Random random)
    {
        using var bitmap = new SKBitmap(Edge, Edge, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int y = 0; y < Edge; y++)
            for (int x = 0; x < Edge; x++)
            {
                int row = y / 4, column = x / 4;
                bool light = kind switch { 0 => row % 2 == 0, 1 => column % 2 == 0, 2 => (row + column) % 2 == 0, 3 => true, 4 => false, _ => row < 4 };
                byte grey = (byte)((light ? 190 : 0) + random.Next(64));
                bitmap.SetPixel(x, y, new SKColor(grey, grey, grey));
            }
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
