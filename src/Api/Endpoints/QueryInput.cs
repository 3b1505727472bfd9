using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>Checks shared by the endpoints that rank. Each returns null when the input is fine, else the refusal.</summary>
internal static class QueryInput
{
    public const int DefaultK = 10;
    public const int MaxK = 1000;

    public static ProblemHttpResult? K(int? given, out int k)
    {
        k = given ?? DefaultK;
        return k is >= 1 and <= MaxK ? null : Refused.Field("k", $"k is {k}; expected 1 to {MaxK}.");
    }

    public static ProblemHttpResult? Ids(string field, string?[]? given, int most, out IReadOnlyList<ItemId> ids)
    {
        ids = [];
        if (given is null) return null;
        if (given.Length > most) return Refused.TooMany(field, given.Length, most);
        for (int n = 0; n < given.Length; n++)
            if (Id.Problem($"{field}[{n}]", given[n]) is { } problem)
                return Refused.Field($"{field}[{n}]", problem + ".");
        ids = [.. given.Select(id => new ItemId(id!))];
        return null;
    }

    /// <summary>A user or a history, whichever stands for the taste.</summary>
    public static ProblemHttpResult? Taste(string? userId, string?[]? given, int most, out IReadOnlyList<ItemId> history)
    {
        if (Ids("history", given, most, out history) is { } badHistory) return badHistory;
        if (userId is null == given is null) return Refused.Field("user_id", "Expected either user_id or history.");
        return userId is not null && Id.Problem("user_id", userId) is { } badUser ? Refused.Field("user_id", badUser + ".") : null;
    }

    public static ProblemHttpResult? Text(string field, string? text, int longest) =>
        string.IsNullOrWhiteSpace(text) ? Refused.Field(field, $"{field} is missing or empty; expected plain words.")
        : text.Length > longest ? Refused.Field(field, $"{field} has {text.Length} characters; at most {longest} are allowed.")
        : null;
}
