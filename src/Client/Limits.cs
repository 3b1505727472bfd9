namespace BeeFormer.Streaming.Client;

/// <summary>Settings out of range are refused by name.</summary>
internal static class Limits
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1), Longest = TimeSpan.FromDays(1);

    public static void Check(string name, TimeSpan value)
    {
        if (value < Shortest || value > Longest) throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; expected {Shortest} to {Longest}.");
    }

    public static void Check(string name, int value, int least, int most)
    {
        if (value < least || value > most) throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; expected {least} to {most}.");
    }

    /// <summary>JSON has no other numbers.</summary>
    public static double? Finite(string name, double? value) =>
        value is null || double.IsFinite(value.Value) ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; expected a finite number.");
}
