using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>A text whose embedding by one encoder is known.</summary>
/// <param name="Encoder">Fingerprint of that encoder.</param>
/// <param name="Begin">The first numbers of the embedding.</param>
internal sealed record Canary(Fingerprint Encoder, string Text, IReadOnlyList<float> Begin)
{
    /// <summary>Of the encoder that comes with the program, as <c>beeformer encode</c> computes it in float32.</summary>
    public static Canary Bundled { get; } = new(new Fingerprint("2cb4e7ba01d975d1f0ee42ac6334dc42d555bc5c056daa20f31014554e522c67"), "Gas stove, two burners",
        [-0.05056556f, 0.04085486f, -0.10337619f, 0.06388935f, 0.00824658f, -0.01034410f, 0.01442827f, 0.00106222f, 0.00893380f, -0.10880162f, -0.03163343f, -0.04697339f]);
}

/// <summary>Whether the encoder that the first model is made of loads, is whole and computes what it should.</summary>
internal static class EncoderCheck
{
    /// <summary>More than the arithmetic costs, less than two different texts differ.</summary>
    private const float Tolerance = 0.01f;

    /// <param name="named">Folder; null: the encoder that comes with the program.</param>
    public static Finding Look(string? named, EncoderArithmetic arithmetic, Canary canary)
    {
        try
        {
            using SentenceEncoder encoder = StartEncoder.Load(named, null, arithmetic);
            float[] vector = encoder.Encode([canary.Text]).Row(0).ToArray();
            string found = $"{named ?? "the one that comes with the program"}: {encoder.Info.Architecture}, dimension {encoder.Dimension}, encodes in {encoder.Arithmetic.ToString().ToLowerInvariant()}";
            bool known = encoder.Fingerprint == canary.Encoder;
            if (named is null && !known) return Finding.Problem("encoder", $"{found}; its files are not those that it came with", "Install or build the program again.");
            if (!Array.TrueForAll(vector, float.IsFinite) || Array.TrueForAll(vector, value => value == 0))
                return Finding.Problem("encoder", $"{found}; \"{canary.Text}\" has no finite vector with a length", "Take another encoder, or Encoder:Arithmetic=float32.");
            if (!known) return Finding.Ok("encoder", found);
            float off = canary.Begin.Zip(vector, (expected, computed) => Math.Abs(expected - computed)).Max();
            return off <= Tolerance ? Finding.Ok("encoder", $"{found}, gives its known vector")
                : Finding.Problem("encoder", FormattableString.Invariant($"{found}; the vector of \"{canary.Text}\" is off by {off:0.0000}"), "Set Encoder:Arithmetic=float32; if that does not help, this machine computes wrongly.");
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return Finding.Problem("encoder", failure.Message, "Set Encoder:Path (or embedder of the policy) to the folder of a sentence transformer, or take it away.");
        }
    }
}
