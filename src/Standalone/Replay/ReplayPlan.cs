using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Commands;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <param name="Period">Length of a reported period; data without times is cut into tenths instead.</param>
/// <param name="TrainEvery">Interactions between two trainings; 0: none.</param>
/// <param name="PolicyFile">Null: the program's own policy.</param>
internal sealed record ReplayPlan(DataSetSource Source, TimeSpan Period, int TrainEvery, string? PolicyFile)
{
    /// <summary>Settings of the ranking that are measured beside those in service.</summary>
    public IReadOnlyList<string> With { get; init; } = [];

    /// <summary>Names the file in event ids: the same file sent again adds nothing.</summary>
    public string EventPrefix => Path.GetFileName(Source.InteractionsFile) + ":";

    public string EventId(int row) => EventPrefix + row.ToString(CultureInfo.InvariantCulture);

    /// <summary>Identity of what is replayed and how, by content: only a run that is equal in all of it can be continued.</summary>
    public string Run(RankingOptions ranking) => Hash(Encoding.UTF8.GetBytes(string.Join('\n',
        Path.GetFileName(Source.InteractionsFile), HashOf(Source.InteractionsFile), HashOf(Source.ItemsFile), PolicyFile is null ? "" : HashOf(PolicyFile), Source.Type,
        Source.MinValue?.ToString("R", CultureInfo.InvariantCulture), Source.Columns, Period, TrainEvery,
        JsonSerializer.Serialize(ranking), string.Join(' ', With))))[..16];

    private static string HashOf(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
