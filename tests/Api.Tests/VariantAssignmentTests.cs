namespace BeeFormer.Streaming.Api.Tests;

/// <summary>Who is served by which variant.</summary>
public sealed class VariantAssignmentTests
{
    private const int Users = 20_000;

    private static Variants Of(string salt, params (string Name, double Share)[] variants) =>
        new([.. variants.Select(variant => new Variant(variant.Name, variant.Share, new RankingOptions(), null, new Dictionary<string, string>()))], new RankingOptions(), salt);

    private static string NameFor(Variants variants, int user) => variants.For($"user-{user}").Name!;

    private static readonly (string, double)[] Three = [("a", 0.5), ("b", 0.3), ("c", 0.2)];

    [Theory]
    [InlineData("")]
    [InlineData("spring")]
    public void Users_are_dealt_by_the_shares(string salt)
    {
        var variants = Of(salt, Three);
        var counts = Enumerable.Range(0, Users).CountBy(user => NameFor(variants, user)).ToDictionary();
        double chiSquare = Three.Sum(variant => Math.Pow(counts[variant.Item1] - Users * variant.Item2, 2) / (Users * variant.Item2));
        Assert.True(chiSquare < 13.82, $"{chiSquare}"); // two degrees of freedom: exceeded by chance once in a thousand
    }

    [Fact]
    public void Two_experiments_do_not_correlate()
    {
        Variants first = Of("one", ("a", 0.5), ("b", 0.5)), second = Of("two", ("a", 0.5), ("b", 0.5));
        var cells = Enumerable.Range(0, Users).CountBy(user => (NameFor(first, user), NameFor(second, user))).ToDictionary();
        double chiSquare = cells.Values.Sum(count => Math.Pow(count - Users / 4.0, 2) / (Users / 4.0));
        Assert.True(cells.Count == 4 && chiSquare < 16.27, $"{chiSquare}"); // three degrees of freedom
    }

    /// <summary>Computed by another program: whoever changes the hash moves users in the middle of experiments.</summary>
    [Fact]
    public void Users_stay_where_they_are_from_release_to_release()
    {
        var variants = Of("spring", Three);
        Assert.Equal("aabcabaacaaaaaabbaaabbbababbcabaaacbaaab", string.Concat(Enumerable.Range(0, 40).Select(user => NameFor(variants, user))));
        Assert.Equal("bcabb", string.Concat(new[] { "", "ann", "böb", "🐝", "a\nb" }.Select(user => variants.For(user).Name)));
    }

    [Fact]
    public void Order_says_nothing()
    {
        Variants variants = Of("s", Three), reversed = Of("s", [.. Three.Reverse()]);
        for (int user = 0; user < 2_000; user++) Assert.Equal(NameFor(variants, user), NameFor(reversed, user));
    }

    [Fact]
    public void A_variant_that_is_added_takes_users_and_moves_no_others()
    {
        Variants before = Of("s", ("a", 0.6), ("b", 0.4)), after = Of("s", ("a", 0.54), ("b", 0.36), ("new", 0.1));
        int moved = 0;
        for (int user = 0; user < Users; user++)
            if (NameFor(before, user) is var was && NameFor(after, user) is var becomes && was != becomes)
            {
                Assert.Equal("new", becomes);
                moved++;
            }
        Assert.InRange(moved, 0.09 * Users, 0.11 * Users);
    }

    [Fact]
    public void A_share_of_nothing_serves_nobody_and_one_of_everything_all()
    {
        var variants = Of("s", ("off", 0), ("on", 1));
        for (int user = 0; user < 2_000; user++) Assert.Equal("on", NameFor(variants, user));
        Assert.Equal("off", variants.For(null).Name); // of whom nothing is known: the first
        Assert.Null(Of("s").For("ann").Name);
    }
}
