using System.Globalization;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>The interactions of a data set as columns: row n says that user <c>Users[User[n]]</c> touched item <c>Items[Item[n]]</c>.</summary>
/// <param name="Row">Row of the file, from 1, header not counted; rows that were dropped for their value leave gaps.</param>
/// <param name="Value">NaN: none.</param>
/// <param name="Timed">False: the file has no times, and <paramref name="TimestampMs"/> counts its rows, one a second.</param>
internal sealed record InteractionTable(
    IReadOnlyList<UserId> Users, IReadOnlyList<ItemId> Items, int[] User, int[] Item, double[] Value, long[] TimestampMs, int[] Row, bool Timed)
{
    public int Count => User.Length;
}

internal static class InteractionFile
{
    /// <summary>Where time begins in a file that has none: 2000-01-01.</summary>
    private const long EpochMs = 946_684_800_000;

    /// <summary>Reads the file in event-time order; equal times keep the order of the file.</summary>
    /// <param name="minValue">Rows with a smaller value are dropped; null: none is.</param>
    public static InteractionTable Read(string file, ColumnNames names, double? minValue, CancellationToken cancellationToken)
    {
        var users = new Numbering<UserId>(id => new UserId(id));
        var items = new Numbering<ItemId>(id => new ItemId(id));
        var (user, item, value, time, rows) = (new List<int>(), new List<int>(), new List<double>(), new List<long>(), new List<int>());
        bool? timed = null;
        int row = 0;
        var required = new HashSet<string> { names.User, names.Item };
        if (minValue is not null) required.Add(names.Value);
        foreach (DataRow data in DataFile.Rows(file, [names.User, names.Item, names.Value, names.Timestamp], required))
        {
            if (++row % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
            string where = $"{file}, line {data.Line}";
            bool hasTime = !string.IsNullOrWhiteSpace(data.Fields[3]);
            if (timed is not null && timed != hasTime)
                throw new DataSetException($"{where}: {names.Timestamp} is {(hasTime ? "given" : "empty")}, but {(hasTime ? "empty" : "given")} in the rows before; expected it in all rows or in none.");
            timed = hasTime;
            double number = Value(where, names.Value, data.Fields[2]);
            if (minValue is { } least && !(number >= least)) continue;
            user.Add(users.Of(Checked(where, names.User, data.Fields[0])));
            item.Add(items.Of(Checked(where, names.Item, data.Fields[1])));
            value.Add(number);
            time.Add(hasTime ? Time(where, names.Timestamp, data.Fields[3]!) : EpochMs + row * 1000L);
            rows.Add(row);
        }

        int[] order = [.. Enumerable.Range(0, rows.Count)];
        Array.Sort(order, (a, b) => time[a] != time[b] ? time[a].CompareTo(time[b]) : a.CompareTo(b));
        T[] Ordered<T>(List<T> column) => Array.ConvertAll(order, n => column[n]);
        return new InteractionTable(users.Ids, items.Ids, Ordered(user), Ordered(item), Ordered(value), Ordered(time), Ordered(rows), timed ?? true);
    }

    private static string Checked(string where, string column, string? id) =>
        Id.Problem(column, id) is { } problem ? throw new DataSetException($"{where}: {problem}.") : id!;

    private static double Value(string where, string column, string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return double.NaN;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? number
            : throw new DataSetException($"{where}: {column} is '{Short(text)}'; expected a finite number.");
    }

    private static long Time(string where, string column, string text) => Timestamps.Parse(text)
        ?? throw new DataSetException($"{where}: {column} is '{Short(text)}'; expected ISO 8601, Unix seconds or Unix milliseconds.");

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";

    /// <summary>Numbers ids in the order in which they turn up.</summary>
    private sealed class Numbering<T>(Func<string, T> id)
    {
        private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        private readonly List<T> ids = [];

        public IReadOnlyList<T> Ids => ids;

        public int Of(string text)
        {
            if (numbers.TryGetValue(text, out int number)) return number;
            numbers[text] = ids.Count;
            ids.Add(id(text));
            return ids.Count - 1;
        }
    }
}
