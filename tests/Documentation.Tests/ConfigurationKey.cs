using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>One key of the configuration, as the options classes have it: those with a constant <c>Section</c>.</summary>
internal sealed record ConfigurationKey(Type Options, string Name, string Type, string Default, string Range, string Summary)
{
    /// <summary>In the order of their sections, within one as the class declares them.</summary>
    public static IReadOnlyList<ConfigurationKey> All { get; } = [.. Sections().SelectMany(section => Of(section.Options, section.Root))];

    /// <summary>Keys that stand alone and are read where they are needed.</summary>
    public static IReadOnlyList<string> Alone { get; } = ["Data", "Images:Folder", "Logging:Format", "Redis:CaCertificate", "Redis:Configuration", "Secrets", "Urls"];

    private static IEnumerable<(Type Options, string Root)> Sections() =>
        from file in Directory.GetFiles(AppContext.BaseDirectory, "BeeFormer.Streaming.*.dll")
        where !file.EndsWith(".Tests.dll", StringComparison.Ordinal)
        from type in Assembly.LoadFrom(file).GetTypes()
        let section = type.GetField("Section", BindingFlags.Public | BindingFlags.Static)
        where section is { IsLiteral: true }
        let name = (string)section.GetRawConstantValue()!
        orderby name
        // A class named after one entry describes each of a list of them.
        select (type, type.Name.EndsWith("Entry", StringComparison.Ordinal) ? $"{name}:<n>" : name);

    private static IEnumerable<ConfigurationKey> Of(Type options, string root)
    {
        object instance = Activator.CreateInstance(options)!;
        foreach (var property in options.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.MetadataToken))
        {
            string name = $"{root}:{property.Name}";
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            object? value = property.GetValue(instance);
            if (type.IsAssignableTo(typeof(IDictionary)) && type.GetGenericArguments()[1] is var entry)
            {
                if (IsOptions(entry)) foreach (var key in Of(entry, $"{name}:<name>")) yield return key;
                else yield return new(options, $"{name}:<name>", NameOf(entry), string.Join(", ", ((IDictionary)value!).Keys.Cast<object>().Select(key => $"{key} {Text(((IDictionary)value)[key])}")), RangeOf(property, entry), Summaries.Of(property));
            }
            else if (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable))) yield return new(options, $"{name}:<n>", NameOf(type.GetGenericArguments()[0]), "", RangeOf(property, type), Summaries.Of(property));
            else if (IsOptions(type)) foreach (var key in Of(type, name)) yield return key;
            else if (property.CanWrite) yield return new(options, name, NameOf(type), Text(value), RangeOf(property, type), Summaries.Of(property));
        }
    }

    private static bool IsOptions(Type type) => type.Name.EndsWith("Options", StringComparison.Ordinal);

    private static string NameOf(Type type) => type switch
    {
        { IsEnum: true } => "name",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) || type == typeof(short) || type == typeof(ushort) => "whole number",
        _ when type == typeof(double) => "number",
        _ when type == typeof(TimeSpan) => "time",
        _ when type == typeof(string) => "text",
        _ => throw new InvalidDataException($"{type} has no name for people yet."),
    };

    private static string Text(object? value) => value switch
    {
        null or "" => "",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string RangeOf(PropertyInfo property, Type type)
    {
        if (type.IsEnum) return string.Join(", ", Enum.GetNames(type));
        if (property.GetCustomAttribute<RegularExpressionAttribute>() is { } expression) return $"as `{expression.Pattern.Replace("|", @"\|", StringComparison.Ordinal)}`";
        if (property.GetCustomAttribute<RangeAttribute>() is not { } range) return "";
        string least = Bound(range.Minimum), most = Bound(range.Maximum);
        return most.Length == 0 ? $"at least {least}" : $"{least} to {most}";
    }

    private static string Bound(object bound) => bound switch
    {
        int.MaxValue or >= (double)long.MaxValue => "",
        double number when number != Math.Floor(number) => number.ToString(CultureInfo.InvariantCulture),
        IFormattable number => number.ToString("#,0", CultureInfo.InvariantCulture),
        _ => bound.ToString()!,
    };
}
