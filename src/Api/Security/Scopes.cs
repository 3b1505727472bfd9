namespace BeeFormer.Streaming.Api;

/// <summary>What a key may do; none includes another. An endpoint that names none needs <see cref="Admin"/>.</summary>
public static class Scopes
{
    /// <summary>Ask: recommendations, search, embeddings, models and trainings.</summary>
    public const string Read = "read";
    /// <summary>Send events and items, forget users.</summary>
    public const string Write = "write";
    /// <summary>Train, activate, import and export models, look at dead letters and for what is left of users.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Read, Write, Admin];
}
