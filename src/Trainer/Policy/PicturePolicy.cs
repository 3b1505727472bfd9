using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Whether a policy's <c>use_images</c> goes with its other keys, with the configuration and with a model.</summary>
internal static class PicturePolicy
{
    /// <param name="pictures">The folder that is configured; null: none.</param>
    /// <returns>Why pictures cannot be used; null when they can, or are not asked for.</returns>
    public static string? Problem(TrainingPolicy policy, PictureFolder? pictures)
    {
        if (!policy.UseImages) return null;
        if (pictures is null) return $"The policy says use_images: true, and no folder of pictures is configured; set {SharedModelsServices.PicturesSetting}, or use_images: false.";
        if (policy.TrainDistributed || policy.Device != "cpu") return "The policy says use_images: true, and pictures are learned from on the CPU alone; set device: cpu and train_distributed: false.";
        if (policy.MaxMemory is not null) return "The policy says use_images: true, and max_memory does not count what pictures need; leave one of them out.";
        return null;
    }

    /// <param name="start">What a training would begin with.</param>
    /// <returns>Why it cannot; null when it can.</returns>
    public static string? Problem(TrainingPolicy policy, EmbeddingModel start) => (policy.UseImages, start.ItemEncoder.Both is not null) switch
    {
        (true, false) => "The policy says use_images: true, and the live model is one of texts alone; start with an empty model store and the folder of a CLIP, or set use_images: false.",
        (false, true) => "The policy says use_images: false, and the live model is one of texts and pictures; set use_images: true.",
        _ => null,
    };
}
