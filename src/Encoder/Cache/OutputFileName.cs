using System.Globalization;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A file of encoder outputs: the nth of its encoder, <c>{fingerprint}.outputs</c> for 0, else <c>{fingerprint}.n.outputs</c>.</summary>
/// <param name="At">UTC of the last write; of an encoder's newest file that of its last use, where that is later.</param>
internal sealed record OutputFileName(string Path, Fingerprint Encoder, int Number, long Bytes, DateTime At)
{
    private const string Suffix = ".outputs";

    public static string PathOf(string folder, Fingerprint encoder, int number) =>
        System.IO.Path.Combine(folder, number == 0 ? encoder.Value + Suffix : string.Create(CultureInfo.InvariantCulture, $"{encoder.Value}.{number}{Suffix}"));

    /// <summary>All in a folder; files of other names are none of ours.</summary>
    public static List<OutputFileName> In(string folder)
    {
        var files = new List<OutputFileName>();
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*" + Suffix))
        {
            string[] parts = file.Name[..^Suffix.Length].Split('.');
            int number = 0;
            if (parts.Length > 2 || parts.Length == 2 && !(int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0)) continue;
            files.Add(new OutputFileName(file.FullName, new Fingerprint(parts[0]), number, file.Length, file.LastWriteTimeUtc));
        }
        return files;
    }
}
