using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Where an encoder is trained: what a policy asks for, held against what this machine has.</summary>
internal static class TrainingDevices
{
    /// <summary>Whether a text names a device: <c>cpu</c>, <c>cuda</c>, <c>cuda:N</c>.</summary>
    public static bool IsName(string text) => text is "cpu" or "cuda" || Index(text) is not null;

    /// <summary>
    /// One device, or with <c>train_distributed</c> all that <c>devices</c> names; where that names none, every CUDA device for <c>device: cuda</c> and else the one device. The first one holds the weights.
    /// </summary>
    /// <exception cref="InvalidDataException">This machine lacks one of them, or the keys contradict each other.</exception>
    public static IReadOnlyList<Device> Of(TrainingPolicy policy) =>
        Of(policy, policy.Devices.Append(policy.Device).Any(name => name != "cpu") && cuda.is_available() ? cuda.device_count() : 0);

    /// <returns>Why the policy's devices cannot be used here; null when they can.</returns>
    public static string? Problem(TrainingPolicy policy)
    {
        try
        {
            _ = Of(policy);
            return null;
        }
        catch (InvalidDataException problem)
        {
            return problem.Message;
        }
    }

    /// <param name="cudaDevices">How many this machine has.</param>
    internal static IReadOnlyList<Device> Of(TrainingPolicy policy, int cudaDevices)
    {
        if (policy.Devices.Count > 0 && !policy.TrainDistributed)
            throw new InvalidDataException($"devices names {policy.Devices.Count} devices, which only train_distributed: true uses; set that, or name one device by 'device'.");
        IReadOnlyList<string> names = policy.Devices.Count > 0 ? policy.Devices : [policy.Device];
        bool all = policy.TrainDistributed && policy.Devices.Count == 0 && policy.Device == "cuda" && cudaDevices > 0;
        return all ? [.. Enumerable.Range(0, cudaDevices).Select(Cuda)] : [.. names.Select(name => Named(name, cudaDevices))];
    }

    private static Device Named(string name, int cudaDevices)
    {
        if (name == "cpu") return CPU;
        int index = name == "cuda" ? 0 : Index(name) ?? throw new InvalidDataException($"'{name}' is no device; expected cpu, cuda or cuda:N.");
        if (index < cudaDevices) return Cuda(index);
        throw new InvalidDataException(cudaDevices == 0
            ? $"The policy asks for device '{name}', and this machine (or this build of libtorch) has no CUDA device; set device: cpu."
            : $"The policy asks for device '{name}', and this machine has {cudaDevices} CUDA devices, the first of them cuda:0; choose one of them, or device: cpu.");
    }

    private static Device Cuda(int index) => new(TorchSharp.DeviceType.CUDA, index);

    /// <returns>N of <c>cuda:N</c>; null where it is none.</returns>
    private static int? Index(string text) =>
        text.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(text.AsSpan(5), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index) ? index : null;
}
