using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace BeeFormer.Streaming.Trainer;

/// <summary>One value of a policy file, read as what its key wants. Every refusal is an <see cref="InvalidDataException"/> that names file, line, column and what was expected.</summary>
internal readonly record struct PolicyValue(string File, string Key, YamlNode Node)
{
    public string Text => TextOf(Node);

    public int Integer(int min, int max) =>
        int.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max ? value : throw Not($"a whole number from {min} to {max}");

    public double Number(double min, double max) =>
        double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= min && value <= max
            ? value
            : throw Not(FormattableString.Invariant($"a number from {min} to {max}"));

    public bool Flag => Text switch
    {
        "true" or "True" => true,
        "false" or "False" => false,
        _ => throw Not("true or false"),
    };

    public T Choice<T>(IReadOnlyList<(string Name, T Value)> choices)
    {
        foreach ((string name, T value) in choices)
            if (name == Text) return value;
        throw Not(string.Join(" or ", choices.Select(choice => choice.Name)));
    }

    /// <summary>Seconds as a number, or hh:mm:ss.</summary>
    public TimeSpan Duration(bool mayBeZero)
    {
        string text = Text;
        if (mayBeZero && text == "0") return TimeSpan.Zero;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds > 0 && seconds <= PolicyKey.MaxSeconds) return TimeSpan.FromSeconds(seconds);
        if (Regex.IsMatch(text, PolicyKey.DurationPattern) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan value) && value > TimeSpan.Zero) return value;
        throw Not("seconds (90) or hours, minutes, seconds (00:01:30), more than zero");
    }

    /// <summary>A folder's or model's name.</summary>
    public string Name => Text.Length > 0 ? Text : throw Error("is empty; expected the folder of a sentence transformer");

    /// <summary>Whether this machine has it is asked when it is used.</summary>
    public string Device => DeviceOf(Node);

    public string[] Devices => List(1, 64) is { } list ? [.. list.Select(DeviceOf)] : throw new InvalidDataException($"{Place(Node)}: {Key}: expected a list of 1 to 64 devices, such as [cuda:0, cuda:1].");

    public string[] Texts => Node is YamlSequenceNode list ? [.. list.Children.Select(TextOf)] : throw new InvalidDataException($"{Place(Node)}: expected a list of texts.");

    private IList<YamlNode>? List(int min, int max) => Node is YamlSequenceNode list && list.Children.Count >= min && list.Children.Count <= max ? list.Children : null;

    private string DeviceOf(YamlNode node) =>
        TrainingDevices.IsName(TextOf(node)) ? TextOf(node) : throw new InvalidDataException($"{Place(node)}: {Key} is '{TextOf(node)}'; expected cpu, cuda or cuda:N.");

    private string TextOf(YamlNode node) => node is YamlScalarNode scalar ? scalar.Value ?? "" : throw new InvalidDataException($"{Place(node)}: expected a single value.");

    private InvalidDataException Not(string expected) => Error($"is '{Text}'; expected {expected}");

    private InvalidDataException Error(string what) => new($"{Place(Node)}: {Key} {what}.");

    private string Place(YamlNode node) => $"{File}({node.Start.Line},{node.Start.Column})";
}
