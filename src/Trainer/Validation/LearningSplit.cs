using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The history before the gate's split, cut once more: what is learned from, and the newest of it, kept back for questions during the training. That part is lost to this training, and learned by the next.</summary>
/// <param name="Validation">Null: nothing is kept back.</param>
/// <param name="Slice">The part of it that is looked at for early stopping; null: no early stopping.</param>
/// <param name="Problem">Why nothing could be kept back although the policy asks for it.</param>
internal sealed record LearningSplit(InteractionMatrix Interactions, WindowSplit? Validation, ValidationSlice? Slice, string? Problem)
{
    /// <summary>Where only a choice between two heads asks for it.</summary>
    private const double ShareToChoose = 0.1;

    /// <param name="split">The gate's.</param>
    public static LearningSplit Of(TrainingWindow window, int[] catalogueIndex, WindowSplit split, TrainingPolicy policy)
    {
        bool chooses = policy is { WarmStart: WarmStart.Both, Head: HeadKind.Words };
        double share = policy.ValidationShare > 0 ? policy.ValidationShare : chooses ? ShareToChoose : 0;
        if (share == 0) return new LearningSplit(split.History, null, null, null);
        WindowSplit? validation = WindowSplit.Validation(window.Rows, catalogueIndex, split, share, window.Older);
        if (validation is null || validation.Users.Length < policy.MinHoldoutUsers)
            return new LearningSplit(split.History, null, null, $"The validation slice has {validation?.Users.Length ?? 0} users; at least {policy.MinHoldoutUsers} are needed. Nothing was kept back.");
        ValidationSlice? slice = policy.ValidationShare > 0 ? ValidationSlice.Of(validation, policy) : null;
        return new LearningSplit(validation.History, validation, slice, null);
    }
}
