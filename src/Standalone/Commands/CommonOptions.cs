using System.CommandLine;
using BeeFormer.Streaming.Standalone.DataSets;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string> Data(string folder = "data") => new("--data")
    {
        Description = "Folder that holds everything the program keeps.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => Path.Combine(".", folder),
    };

    public static Option<string> RequiredFile(string name, string description) => new(name) { Description = description, HelpName = "FILE", Required = true };

    public static Option<string?> OptionalFile(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    public static Option<int> PositiveNumber(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int number) && number < 1) result.AddError($"{name} is {number}; expected a number above 0.");
        });
        return option;
    }
}

/// <summary>How a data set is to be read: shared by <c>replay</c> and <c>evaluate</c>.</summary>
internal sealed class DataSetOptions
{
    private static readonly ColumnNames Names = new();

    private readonly Option<string> items = CommonOptions.RequiredFile("--items", "Catalogue: CSV or JSON Lines, packed with gzip or not.");
    private readonly Option<string> interactions = CommonOptions.RequiredFile("--interactions", "Interactions: CSV or JSON Lines, packed with gzip or not.");
    private readonly Option<string> type = new("--type") { Description = "Event type of the interactions.", HelpName = "NAME", DefaultValueFactory = _ => "purchase" };
    private readonly Option<double?> minValue = new("--min-value") { Description = "Drop interactions with a smaller value, e.g. 4 for ratings.", HelpName = "V" };
    private readonly Option<string> user = Column("--user-column", Names.User), item = Column("--item-column", Names.Item), value = Column("--value-column", Names.Value),
        timestamp = Column("--timestamp-column", Names.Timestamp), title = Column("--title-column", Names.Title), text = Column("--text-column", Names.Text);

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { items, interactions, type, minValue, user, item, value, timestamp, title, text }) command.Options.Add(option);
    }

    public DataSetSource Of(ParseResult parsed) => new(
        parsed.GetRequiredValue(items), parsed.GetRequiredValue(interactions), parsed.GetRequiredValue(type), parsed.GetValue(minValue), new ColumnNames
        {
            User = parsed.GetRequiredValue(user),
            Item = parsed.GetRequiredValue(item),
            Value = parsed.GetRequiredValue(value),
            Timestamp = parsed.GetRequiredValue(timestamp),
            Title = parsed.GetRequiredValue(title),
            Text = parsed.GetRequiredValue(text),
        });

    private static Option<string> Column(string option, string name) => new(option) { Description = $"What the column {name} is called.", HelpName = "NAME", DefaultValueFactory = _ => name };
}

/// <param name="Type">Event type of every interaction.</param>
internal sealed record DataSetSource(string ItemsFile, string InteractionsFile, string Type, double? MinValue, ColumnNames Columns);
