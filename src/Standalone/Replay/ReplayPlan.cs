using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Standalone.Commands;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <param name="Period">Length of a reported period; data without times is cut into tenths instead.</param>
/// <param name="TrainEvery">Interactions between two trainings; 0: none.</param>
internal sealed record ReplayPlan(DataSetSource Source, TimeSpan Period, int TrainEvery)
{
    /// <summary>Names the file in event ids: the same file sent again adds nothing.</summary>
    public string EventPrefix => Path.GetFileName(Source.InteractionsFile) + ":";

    public string EventId(int row) => EventPrefix + row.ToString(CultureInfo.InvariantCulture);

    /// <summary>Identity of files and options: only a run that is equal in all of them can be continued.</summary>
    public string Run(int interactions, int items) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        Path.GetFileName(Source.InteractionsFile), Length(Source.InteractionsFile), Path.GetFileName(Source.ItemsFile), Length(Source.ItemsFile), Source.Type,
        Source.MinValue?.ToString("R", CultureInfo.InvariantCulture), Source.Columns, Period, TrainEvery, interactions, items))))[..16];

    private static long Length(string file) => new FileInfo(file).Length;
}
