using System.Text.Json;
using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>What was published, and what was refused.</summary>
/// <param name="List">Published models, oldest first.</param>
/// <param name="Damaged">Versions that are not whole; the others work.</param>
/// <param name="Refusals">The newest challengers that did not beat the model in service.</param>
/// <param name="Live">The version that is to serve; it does once its collection is built.</param>
/// <param name="Previous">Live before it; the way back.</param>
public sealed record Models([property: JsonPropertyName("models")] IReadOnlyList<Model> List, IReadOnlyList<DamagedModel> Damaged, IReadOnlyList<Refusal> Refusals, string? Live = null, string? Previous = null) : Answer;

/// <param name="Version">Such as <c>000012-9f3ab07c</c>.</param>
/// <param name="Fingerprint">SHA-256 over all that decides a vector.</param>
/// <param name="PublishedAt">UTC.</param>
/// <param name="Dimension">Of its vectors.</param>
/// <param name="HyperParameters">As they were set.</param>
/// <param name="Metrics">What the gate saw.</param>
/// <param name="Decision">Why it was published.</param>
/// <param name="Parent">The version that it was learned from.</param>
/// <param name="WindowHash">Names the interactions that it was learned from.</param>
/// <param name="ImportedFrom">Its version where it came from.</param>
/// <param name="ErasedUsers">Users erased since whose interactions it could see.</param>
public sealed record Model(
    string Version, string Fingerprint, DateTimeOffset PublishedAt, int Dimension, JsonElement HyperParameters, JsonElement Metrics, string Decision,
    string? Parent = null, string? WindowHash = null, string? ImportedFrom = null, ErasedUsers? ErasedUsers = null);

/// <param name="Users">How many.</param>
/// <param name="Inherited">How many of them only an ancestor could see.</param>
/// <param name="Rows">Their interactions that were removed.</param>
/// <param name="NewestAt">When the last of them asked.</param>
public sealed record ErasedUsers(int Users, int Inherited, long Rows, DateTimeOffset NewestAt);

/// <param name="Version">Of the model.</param>
/// <param name="Problem">In words.</param>
public sealed record DamagedModel(string Version, string Problem);

/// <param name="At">UTC.</param>
/// <param name="Metrics">What the gate saw.</param>
/// <param name="Decision">Why.</param>
/// <param name="Incumbent">The version that it did not beat.</param>
/// <param name="WindowHash">Names the interactions that it was learned from.</param>
public sealed record Refusal(DateTimeOffset At, JsonElement Metrics, string Decision, string? Incumbent = null, string? WindowHash = null);

/// <summary>One model, every byte of it compared with what was published.</summary>
/// <param name="Version">Of the model.</param>
/// <param name="Live">Is to serve.</param>
/// <param name="Files">All of them.</param>
/// <param name="Lineage">The version, the one it was learned from, and so on to the first.</param>
/// <param name="Problem">What is wrong with it; null: nothing.</param>
/// <param name="Model">Null when the manifest cannot be read.</param>
public sealed record ModelDetails(string Version, bool Live, IReadOnlyList<ModelFile> Files, IReadOnlyList<Ancestor> Lineage, string? Problem = null, Model? Model = null) : Answer;

/// <param name="Path">Within the model's folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record ModelFile(string Path, long Bytes, string Sha256);

/// <param name="Version">Of the model.</param>
/// <param name="PublishedAt">UTC.</param>
/// <param name="Fingerprint">SHA-256 over all that decides a vector.</param>
/// <param name="Decision">Why it was published.</param>
/// <param name="Parent">The version that it was learned from.</param>
public sealed record Ancestor(string Version, DateTimeOffset PublishedAt, string Fingerprint, string Decision, string? Parent = null);

/// <param name="Activated">Now live; it serves once its collection is built or found.</param>
/// <param name="Before">Live until now.</param>
public sealed record Activation(string Activated, string? Before = null) : Answer;
