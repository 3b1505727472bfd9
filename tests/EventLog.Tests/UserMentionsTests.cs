using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.DeadLetters;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class UserMentionsTests
{
    [Theory]
    [InlineData("jörg", """{"user_id":"jörg"}""", true)]
    [InlineData("jörg", """{"user_id":"j\u00f6rg"}""", true)] // escaped
    [InlineData("jörg", """{"user_id":"j\u00F6r""", false)] // cut off inside the id
    [InlineData("jörg", """{"user_id":"j\u00F6rg", "item""", true)] // no JSON: cut off behind it
    [InlineData("a/b\"c", """{"user_id":"a\/b\"c",""", true)]
    [InlineData("😀", """{"user_id":"\ud83d\ude00",""", true)]
    [InlineData("42", """{"user_id":42}""", true)]
    [InlineData("42", """{"user_id":"u","item_id":"42","value":42}""", false)] // an item, a number
    [InlineData("42", """{"user_id":"u","timestamp":1420000042, broken""", false)] // a part of a number
    [InlineData("42", """{"user_id": 42, broken""", true)]
    [InlineData("ann", """{"user_id":"joann","session_id":"ann-1"}""", false)]
    [InlineData("ann", """{"user_id":"joann","visitor":{"ids":["x","ann"]}}""", true)]
    [InlineData("ann", """{"specversion":"1.0","data":{"user_id":"ann"}}""", true)]
    [InlineData("ann", """{"specversion":"1.0","data_base64":"eyJ1c2VyX2lkIjoiYW5uIn0="}""", true)]
    [InlineData("ann", """{"specversion":"1.0","data_base64":"eyJ1c2VyX2lkIjoiYm9iIn0="}""", false)]
    [InlineData("ann", "user=ann;item=5", true)]
    [InlineData("ann", "user=joann;item=5", false)]
    [InlineData("ann", """{"a":"\ud800","user_id":"ann"}""", true)] // text that no Unicode is
    public void An_id_is_found_however_it_is_written_and_not_where_it_is_a_part_of_something_else(string id, string value, bool mentioned) =>
        Assert.Equal(mentioned, new UserMentions([new UserId("nobody"), new UserId(id)]).In(Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void Bytes_of_any_kind_are_looked_through_without_an_exception()
    {
        var random = new Random(3);
        var mentions = new UserMentions([new UserId("ann")]);
        var bytes = new byte[40];
        for (int n = 0; n < 20_000; n++)
        {
            random.NextBytes(bytes);
            for (int at = random.Next(40); at < 40; at++) bytes[at] = (byte)"{}[]\"\\u0dn:, ann"[random.Next(16)];
            mentions.In(bytes);
            "=ann;"u8.CopyTo(bytes);
            bytes[0] = (byte)'=';
            Assert.True(mentions.In(bytes));
        }
    }

    [Fact]
    public void Of_a_letter_key_value_and_headers_count()
    {
        var mentions = new UserMentions([new UserId("ann")]);
        var letter = new DeadLetter("invalid_json", "no JSON", Topics.Interactions, 0, 1, "bob"u8.ToArray(), "{}"u8.ToArray(), 5);
        Assert.False(mentions.In(letter));
        Assert.True(mentions.In(letter with { Key = "ann"u8.ToArray() }));
        Assert.False(mentions.In(letter with { Topic = Topics.Items, Key = "ann"u8.ToArray() })); // an item
        Assert.True(mentions.In(letter with { Value = """{"user_id":"ann"}"""u8.ToArray() }));
        Assert.True(mentions.In(letter with { Headers = [new DeadLetterHeader("ce_subject", "ann"u8.ToArray())] }));
        Assert.False(mentions.In(letter with { Value = null }));
    }
}
