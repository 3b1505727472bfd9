using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.DataSets;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Standalone.Tests.DataSets;

public sealed class InteractionFileTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    private InteractionTable Read(string content, ColumnNames? names = null, double? minValue = null) =>
        InteractionFile.Read(files.Write("i.csv", content), names ?? new ColumnNames(), minValue, TestContext.Current.CancellationToken);

    private string Refusal(string content, ColumnNames? names = null, double? minValue = null) =>
        Assert.Throws<DataSetException>(() => Read(content, names, minValue)).Message;

    [Fact]
    public void Csv_is_read_in_event_time_order_and_rows_keep_their_numbers()
    {
        InteractionTable table = Read("user_id,item_id,value,timestamp\nu1,i1,3,200\nu2,i2,,100\nu1,i2,1.5,100\n");
        Assert.Equal([2, 3, 1], table.Row);
        Assert.Equal([100_000L, 100_000, 200_000], table.TimestampMs);
        Assert.Equal([new UserId("u2"), new UserId("u1"), new UserId("u1")], table.User.Select(n => table.Users[n]));
        Assert.Equal([double.NaN, 1.5, 3], table.Value);
        Assert.True(table.Timed);
    }

    [Fact]
    public void Packed_and_plain_csv_and_json_lines_are_the_same_data()
    {
        const string Csv = "user_id,item_id,value,timestamp\nu1,i1,3,1291191960\n";
        string[] same =
        [
            files.Write("a", Csv), files.WriteGzip("b", Csv),
            files.Write("c", """{"user_id": "u1", "item_id": "i1", "value": 3, "timestamp": 1291191960000}"""),
            files.WriteGzip("d", """{"timestamp": "2010-12-01T08:26:00Z", "user_id": "u1", "item_id": "i1", "value": "3"}"""),
        ];
        Assert.All(same, file =>
        {
            InteractionTable table = InteractionFile.Read(file, new ColumnNames(), null, TestContext.Current.CancellationToken);
            Assert.Equal(("u1", "i1", 3.0, 1_291_191_960_000), (table.Users[0].Value, table.Items[0].Value, table.Value[0], table.TimestampMs[0]));
        });
    }

    [Theory]
    [InlineData("1291191960", 1_291_191_960_000)]
    [InlineData("1291191960.5", 1_291_191_960_500)]
    [InlineData("1291191960123", 1_291_191_960_123)]
    [InlineData("2010-12-01T08:26:00Z", 1_291_191_960_000)]
    [InlineData("2010-12-01T09:26:00+01:00", 1_291_191_960_000)]
    [InlineData("2010-12-01 08:26:00", 1_291_191_960_000)]
    [InlineData("2010-12-01", 1_291_161_600_000)]
    public void Times_are_iso_8601_or_unix_seconds_or_milliseconds(string text, long expected) => Assert.Equal(expected, Timestamps.Parse(text));

    [Fact]
    public void Without_times_the_order_of_the_file_counts()
    {
        InteractionTable table = Read("user_id,item_id,value,timestamp\nu1,i1,5,\nu2,i2,3,\nu3,i3,4,\n", minValue: 4);
        Assert.Equal([1, 3], table.Row);
        Assert.True(table.TimestampMs[0] < table.TimestampMs[1]);
        Assert.False(table.Timed);
    }

    [Fact]
    public void Columns_may_have_other_names_and_stand_in_any_order()
    {
        InteractionTable table = Read("when,book,who\n5,b,w\n", new ColumnNames { User = "who", Item = "book", Timestamp = "when" });
        Assert.Equal((new UserId("w"), new ItemId("b"), 5_000L), (table.Users[0], table.Items[0], table.TimestampMs[0]));
    }

    [Fact]
    public void Quoted_fields_hold_commas_quotes_and_line_ends()
    {
        InteractionTable table = Read("user_id,item_id\r\n\"u,1\",\"i \"\"x\"\"\"\r\n\"u\n2\",i2\r\n");
        Assert.Equal(["u,1", "u\n2"], table.Users.Select(user => user.Value));
        Assert.Equal("i \"x\"", table.Items[0].Value);
    }

    [Theory]
    [InlineData("user,item_id\nu,i\n", "has no column user_id; its header names user, item_id.")]
    [InlineData("user_id,item_id,timestamp\nu,i,soon\n", "line 2: timestamp is 'soon'; expected ISO 8601, Unix seconds or Unix milliseconds.")]
    [InlineData("user_id,item_id,value\nu,i,many\n", "line 2: value is 'many'; expected a finite number.")]
    [InlineData("user_id,item_id,value\nu,i,NaN\n", "line 2: value is 'NaN'; expected a finite number.")]
    [InlineData("user_id,item_id\nu,i\n\n,i\n", "line 4: user_id is missing or empty")]
    [InlineData("user_id,item_id\nu,i,x\n", "line 2: 3 fields; expected 2, as in the header.")]
    [InlineData("user_id,item_id\nu,\"i\n", "line 2: a quote is opened and never closed.")]
    [InlineData("user_id,item_id\nu,i\"x\n", "line 2: a quote stands inside a field")]
    [InlineData("user_id,item_id,timestamp\nu,i,1\nu,i,\n", "line 3: timestamp is empty, but given in the rows before")]
    [InlineData("", "is empty; expected a header line with the columns user_id, item_id.")]
    [InlineData("{\"user_id\": \"u\"}\n", "line 1: no field item_id.")]
    [InlineData("{\"user_id\": \"u\", \"item_id\": [1]}\n", "line 1: item_id is array; expected a string or a number.")]
    [InlineData("{\"user_id\": \"u\", \"item_id\": \n", "line 1: not valid JSON")]
    public void Bad_input_is_named_by_file_line_and_column(string content, string expected)
    {
        string message = Refusal(content);
        Assert.Contains("i.csv", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Smallest_value_needs_a_value_column() => Assert.Contains("has no column value", Refusal("user_id,item_id\nu,i\n", minValue: 4), StringComparison.Ordinal);

    [Fact]
    public void Missing_file_and_folder_are_named()
    {
        Assert.Contains("nowhere.csv does not exist", Assert.Throws<DataSetException>(() =>
            InteractionFile.Read("nowhere.csv", new ColumnNames(), null, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<DataSetException>(() =>
            InteractionFile.Read(files.Folder, new ColumnNames(), null, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gzip_that_is_cut_off_is_refused()
    {
        byte[] packed = Files.Gzip("user_id,item_id\n" + string.Concat(Enumerable.Range(0, 5_000).Select(n => $"u{n * 7919 % 5000},i{n * 104729 % 9973}\n")));
        string file = files.Write("cut.csv.gz", packed[..(packed.Length / 2)]);
        Assert.Contains("cut.csv.gz cannot be unpacked: the gzip data is broken or cut off.", Assert.Throws<DataSetException>(() =>
            InteractionFile.Read(file, new ColumnNames(), null, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Property(MaxTest = 300)]
    public void Damaged_gzip_is_read_or_refused_and_never_crashes(int place, byte damage, bool cut)
    {
        byte[] packed = Files.Gzip("user_id,item_id,timestamp\n" + string.Concat(Enumerable.Range(0, 50).Select(n => $"u{n},i{n % 7},{n}\n")));
        int at = (int)((uint)place % packed.Length);
        packed[at] ^= damage;
        string file = files.Write("damaged", cut ? packed[..at] : packed);
        try
        {
            InteractionFile.Read(file, new ColumnNames(), null, CancellationToken.None);
        }
        catch (DataSetException e)
        {
            Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        }
    }
}
