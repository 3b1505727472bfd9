using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using FsCheck.Xunit;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Items, names and versions as Qdrant has them.</summary>
public sealed class QdrantMappingTests
{
    private static IndexedItem AnItem(long revision = 1, string attributes = "{}") =>
        new(new ItemId("A-item-0"), revision, [3, 4], "a title", true, System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, System.Text.Json.JsonElement>>(attributes)!);

    [Theory]
    [InlineData("A-item-0", "12cf7a71-4df6-5d7c-bafb-705ac1b726e9")] // as in the recorded transcript
    [InlineData("http://www.example.com/", "fcde3c85-2270-590f-9e7c-ee003d65e0e2")]
    public void A_points_id_follows_from_the_items(string item, string uuid) => Assert.Equal(uuid, PointIds.Of(new ItemId(item)).Uuid);

    [Property]
    public void Names_of_attributes_survive(FsCheck.NonNull<string> name) => Assert.Equal(name.Get, AttributePath.Attribute(AttributePath.Key(name.Get)));

    [Theory]
    [InlineData("brand", "attributes.brand")]
    [InlineData("a.b", "attributes.\"a.b\"")]
    [InlineData("a\"b\\c%d", "attributes.\"a%22b%5Cc%25d\"")]
    [InlineData("", "attributes.\"\"")]
    public void An_odd_name_is_quoted(string name, string path) => Assert.Equal(path, AttributePath.Of(name));

    [Fact]
    public void An_item_is_a_point_that_others_can_read()
    {
        var point = ItemPoints.Of(AnItem(7, """{"price":5,"weight":5.0,"tags":["x"]}"""), 2);
        Assert.Equal(["attributes", "available", "item_id", "rev", "title"], point.Payload.Keys.Order(StringComparer.Ordinal));
        var attributes = point.Payload["attributes"].StructValue.Fields;
        Assert.Equal((5, 5.0, "x"), (attributes["price"].IntegerValue, attributes["weight"].DoubleValue, attributes["tags"].ListValue.Values[0].StringValue));
        Assert.Equal([0.6f, 0.8f], point.Vectors.Vector.Dense.Data);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Vectors_are_read_as_servers_of_any_age_send_them(bool dense)
    {
        var sent = ItemPoints.Of(AnItem(), 2);
        var vector = new VectorOutput();
        if (dense) vector.Dense = new DenseVector { Data = { 0.6f, 0.8f } };
#pragma warning disable CS0612, CS0618
        else vector.Data.Add([0.6f, 0.8f]);
#pragma warning restore CS0612, CS0618
        Assert.Equal([0.6f, 0.8f], ItemPoints.Item(new RetrievedPoint { Id = sent.Id, Payload = { sent.Payload }, Vectors = new VectorsOutput { Vector = vector } }).Vector);
    }

    [Theory]
    [InlineData("item_id")]
    [InlineData("rev")]
    [InlineData("title")]
    [InlineData("available")]
    [InlineData("attributes")]
    public void A_point_of_somebody_else_is_refused_by_name(string missing)
    {
        var sent = ItemPoints.Of(AnItem(), 2);
        var point = new RetrievedPoint { Id = sent.Id, Payload = { sent.Payload }, Vectors = new VectorsOutput { Vector = new VectorOutput { Dense = new DenseVector { Data = { 1, 0 } } } } };
        ItemPoints.Item(point);
        point.Payload[missing] = new Value { ListValue = new ListValue() };
        Assert.Contains(missing, Assert.Throws<InvalidDataException>(() => ItemPoints.Item(point)).Message, StringComparison.Ordinal);
        point.Payload.Remove(missing);
        Assert.Contains(missing, Assert.Throws<InvalidDataException>(() => ItemPoints.Item(point)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":1e999}""")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}""")]
    public void What_a_payload_cannot_hold_is_refused_by_name(string attributes) =>
        Assert.Contains("Attribute \"a\" of item A-item-0", Assert.Throws<ArgumentException>(() => ItemPoints.Of(AnItem(1, attributes), 2)).Message, StringComparison.Ordinal);

    [Fact]
    public void Revisions_beyond_what_conditions_compare_are_refused()
    {
        ItemPoints.Of(AnItem(1L << 53), 2);
        Assert.Throws<ArgumentException>(() => ItemPoints.Of(AnItem((1L << 53) + 1), 2));
        Assert.Throws<ArgumentException>(() => ItemPoints.Tombstone(new ItemId("a"), long.MaxValue));
    }

    [Theory]
    [InlineData("1.15.4", true)]
    [InlineData("1.16.0-dev", true)]
    [InlineData("1.19.0", true)]
    [InlineData("2.0.0", true)]
    [InlineData("1.15.3", false)]
    [InlineData("1.9.7", false)]
    [InlineData("", false)]
    [InlineData("latest", false)]
    public void Only_servers_that_know_conditional_upserts_will_do(string version, bool willDo)
    {
        string? refusal = ServerVersion.Refusal(version);
        Assert.Equal(willDo, refusal is null);
        if (!willDo) Assert.Contains("expected 1.15.4 or newer", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_condition_is_never_empty()
    {
        foreach (var values in new AttributeValue[][] { [], [default] })
        {
            var condition = ItemConditions.Stored(new ItemFilter { Must = [new AnyOf("a", values)] }).Must[0].Filter.Must[0];
            Assert.Equal(Match.MatchValueOneofCase.Keywords, condition.Field.Match.MatchValueCase);
            Assert.Empty(condition.Field.Match.Keywords.Strings);
        }
        Assert.True(ItemConditions.Stored(new ItemFilter { Must = [new NumberRange("a", double.NaN)] }).Must[0].Filter.Must[0].Field.Range.HasGte);
    }
}
