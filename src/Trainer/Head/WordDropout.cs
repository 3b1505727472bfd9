namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Dropout (Srivastava et al. 2014) of words: in each step an item shows only some of its words, and what it shows weighs more in turn. So no rare word, nor the
/// encoder's part alone, can learn an item by heart. Which words stay is a hash of seed, step, item and word: nothing is kept, and the two passes of a step agree.
/// </summary>
/// <param name="share">Share of the words that are left out, from 0 to below 1.</param>
internal sealed class WordDropout(double share, int seed)
{
    private readonly ulong _leftOut = (ulong)(share * (1UL << 32));
    private ulong _step = (uint)seed * 0x9E3779B97F4A7C15;

    /// <summary>What a kept word's weight is multiplied with.</summary>
    public float Scale { get; } = (float)(1 / (1 - share));

    /// <summary>Other words stay from now on.</summary>
    public void Next() => _step += 0xD1B54A32D192ED03;

    public bool Keeps(int item, int word) => _leftOut == 0 || Mix(Mix(_step + (uint)item) + (uint)word) >> 32 >= _leftOut;

    // The last steps of SplitMix64 (Steele, Lea, Flood 2014).
    private static ulong Mix(ulong z)
    {
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
