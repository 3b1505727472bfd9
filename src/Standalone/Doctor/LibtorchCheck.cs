using TorchSharp;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>Whether the native library that computes can be loaded.</summary>
internal static class LibtorchCheck
{
    public static Finding Look() => Look(() =>
    {
        using torch.Tensor three = torch.ones(3).sum();
        if (three.item<float>() != 3) throw new InvalidDataException($"1 + 1 + 1 is {three.item<float>()}");
        return $"{torch.__version__}, {torch.get_num_threads()} threads";
    });

    /// <param name="load">Loads it and tells its version.</param>
    public static Finding Look(Func<string> load)
    {
        try
        {
            return Finding.Ok("libtorch", load());
        }
        catch (Exception failure) // whatever the loader makes of it
        {
            string why = failure.GetBaseException().Message.Trim();
            return Finding.Problem("libtorch", why, why.Contains("GLIBC", StringComparison.Ordinal)
                ? "The system's libstdc++ or glibc is too old: expected Debian 12, RHEL 9 or newer."
                : "Install or build the program again: its folder lacks a part of libtorch, or holds that of another system. Expected 64-bit Linux, Debian 12, RHEL 9 or newer.");
        }
    }
}
