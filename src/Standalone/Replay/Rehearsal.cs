using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Standalone.DataSets;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>
/// Predicts each interaction before learning from it: the user's vector is that of the moment before, the vectors are those of the models in service.
/// A user of whom nothing is known is shown what is popular, as in the service.
/// </summary>
internal sealed class Rehearsal
{
    public const string Popularity = "popularity";
    public const string History = "own history";
    public const string Elsa = "elsa";
    public const string Served = "served";

    private readonly InteractionTable table;
    private readonly string type;
    private readonly int[] itemOf; // item of the table → place in the catalogue, -1: not in it
    private readonly IReadOnlyDictionary<ItemId, int> places;
    private readonly int catalogue;
    private readonly Periods periods;
    private readonly ReplayCheckpoint measured;
    private readonly UserHistories histories;
    private readonly RecentPopularity popularity;
    private readonly UserVectorOptions options;
    private readonly RankingOptions ranking;
    private float[] popularityThen = []; // [questions, catalogue]: popularity as it was at each question

    public Rehearsal(InteractionTable table, string type, IReadOnlyDictionary<ItemId, int> places, Periods periods, ReplayCheckpoint measured,
        UserVectorOptions options, RankingOptions ranking, TimeSpan popularityHalfLife, int historyLength)
    {
        (this.table, this.type, this.places, this.periods, this.measured, this.options, this.ranking) = (table, type, places, periods, measured, options, ranking);
        itemOf = [.. table.Items.Select(item => places.GetValueOrDefault(item, -1))];
        catalogue = places.Count;
        histories = new UserHistories(table.Users.Count, historyLength, options);
        popularity = new RecentPopularity(places.Count, popularityHalfLife);
    }

    /// <summary>Takes interactions for known without predicting them: they were measured before a restart.</summary>
    public void Recall(int first, int end)
    {
        for (int n = first; n < end; n++) Learn(n);
    }

    /// <summary>Measures the interactions <paramref name="first"/> to <paramref name="end"/> (excluded) by popularity, by the user's own history, by each model, and by what is served.</summary>
    /// <param name="models">The first is the one in service, which the served ranking blends.</param>
    /// <param name="elsa">Null: not measured.</param>
    public void Measure(int first, int end, IReadOnlyList<(string Name, ItemVectors Vectors)> models, PeriodElsa? elsa, CancellationToken cancellationToken)
    {
        if (popularityThen.Length < (end - first) * catalogue) popularityThen = new float[(end - first) * catalogue];
        var questions = new List<Question>(end - first);
        Span<int> top = stackalloc int[Ranking.Depth];
        for (int n = first; n < end; n++)
        {
            (int user, int item) = (table.User[n], itemOf[table.Item[n]]);
            if (item < 0) measured.UnknownItems++;
            else
            {
                PeriodMeasures measures = measured.Of(Popularity, periods.Of(n));
                (int Item, double Strength)[] own = [.. histories.Own(user, ranking.Rest, table.TimestampMs[n]).Select(own => (places[own.Item], own.Strength))];
                var question = new Question(n, item, histories.Weights(user, table.TimestampMs[n]), own, histories.Seen(user), histories.Seen(user).Count, histories.HasSeen(user, item), new int[Ranking.Depth]);
                Answer(popularity.Scores, question, measures, out int above, out int aboveNew);
                question = question with { PopularAbove = above, PopularAboveNew = aboveNew, PopularCount = Ranking.Top(popularity.Scores, top) };
                top.CopyTo(question.Popular);
                measures.Show(question.Popular.AsSpan(0, question.PopularCount), catalogue);
                popularity.Scores.CopyTo(popularityThen.AsSpan(questions.Count * catalogue));
                questions.Add(question);
                MeasureHistory(question);
            }
            Learn(n);
        }
        for (int n = 0; n < models.Count; n++) Measure(questions, models[n].Name, models[n].Vectors, served: n == 0);
        if (elsa is null) return;
        foreach (IGrouping<int, Question> period in questions.GroupBy(question => periods.Of(question.Interaction)))
            Measure([.. period], Elsa, elsa.Of(period.Key, cancellationToken), served: false);
    }

    /// <param name="served">Measures the blend with this model as well.</param>
    private void Measure(List<Question> questions, string name, ItemVectors vectors, bool served)
    {
        float[]?[] users = new float[]?[questions.Count];
        Parallel.For(0, questions.Count, n => users[n] = UserVector.Sum(questions[n].Weights, vectors.VectorOf));
        int[] known = [.. Enumerable.Range(0, questions.Count).Where(n => users[n] is not null)];
        float[] scores = vectors.Score([.. known.Select(n => users[n]!)]);

        var answers = new RankedAnswer[questions.Count];
        for (int n = 0; n < questions.Count; n++)
            if (users[n] is null) answers[n] = new RankedAnswer(questions[n].PopularAbove, questions[n].PopularAboveNew, questions[n].Popular, questions[n].PopularCount);
        RankedAnswer[] blended = [.. answers];
        Parallel.For(0, known.Length, row =>
        {
            Question question = questions[known[row]];
            ReadOnlySpan<float> ranking = scores.AsSpan(row * vectors.Items, vectors.Items);
            answers[known[row]] = Ranked(ranking, Places(ranking, question));
            if (served) blended[known[row]] = Blended(ranking, popularityThen.AsSpan(known[row] * catalogue, catalogue), question);
        });
        Record(questions, name, answers);
        if (served) Record(questions, Served, blended);
    }

    /// <summary>Where the item is new to the user, once more as the service would without the items seen.</summary>
    private RankedAnswer Blended(ReadOnlySpan<float> cosines, ReadOnlySpan<float> popularity, Question question)
    {
        float[] blended = BlendedScores.Of(cosines, popularity, question.Own, ranking);
        int above = Places(blended, question).Above, aboveNew = int.MaxValue;
        if (!question.Seen)
        {
            float[] unseen = cosines.ToArray();
            for (int n = 0; n < question.SeenCount; n++) unseen[question.SeenItems[n]] = float.NegativeInfinity;
            aboveNew = Places(BlendedScores.Of(unseen, popularity, [], ranking), question with { SeenCount = 0 }).AboveNew;
        }
        return Ranked(blended, (above, aboveNew));
    }

    private static RankedAnswer Ranked(ReadOnlySpan<float> scores, (int Above, int AboveNew) places)
    {
        int[] top = new int[Ranking.Depth];
        return new RankedAnswer(places.Above, places.AboveNew, top, Ranking.Top(scores, top));
    }

    private void Record(List<Question> questions, string name, RankedAnswer[] answers)
    {
        for (int n = 0; n < questions.Count; n++)
        {
            PeriodMeasures measures = measured.Of(name, periods.Of(questions[n].Interaction));
            measures.Add(answers[n].Above);
            if (!questions[n].Seen) measures.AddNew(answers[n].AboveNew);
            measures.Show(answers[n].Top.AsSpan(0, answers[n].Count), catalogue);
        }
    }

    /// <summary>An item that the user has not bought is in no history: missed. A user who has bought nothing is shown what is popular.</summary>
    private void MeasureHistory(Question question)
    {
        PeriodMeasures measures = measured.Of(History, periods.Of(question.Interaction));
        int place = Array.FindIndex(question.Own, own => own.Item == question.Item);
        bool unknown = question.Own.Length == 0;
        measures.Add(unknown ? question.PopularAbove : place < 0 ? int.MaxValue : place);
        if (!question.Seen) measures.AddNew(unknown ? question.PopularAboveNew : int.MaxValue);
        measures.Show(unknown ? question.Popular.AsSpan(0, question.PopularCount) : [.. question.Own.Take(Ranking.Depth).Select(own => own.Item)], catalogue);
    }

    private static void Answer(ReadOnlySpan<float> scores, Question question, PeriodMeasures measures, out int above, out int aboveNew)
    {
        (above, aboveNew) = Places(scores, question);
        measures.Add(above);
        if (!question.Seen) measures.AddNew(aboveNew);
    }

    /// <summary>An item without a score is in no ranking.</summary>
    private static (int Above, int AboveNew) Places(ReadOnlySpan<float> scores, Question question)
    {
        float score = scores[question.Item];
        if (float.IsNegativeInfinity(score)) return (int.MaxValue, int.MaxValue);
        int above = Ranking.Above(scores, question.Item);
        return (above, question.Seen ? above : above - Ranking.AboveAmong(scores, question.Item, question.SeenItems, question.SeenCount));
    }

    private void Learn(int n)
    {
        int item = itemOf[table.Item[n]];
        if (item < 0) return;
        double? value = double.IsNaN(table.Value[n]) ? null : table.Value[n];
        histories.Add(table.User[n], item, new ProfileInteraction("", table.Items[table.Item[n]], type, value, table.TimestampMs[n]));
        popularity.Add(item, options.WeightOf(type, value), table.TimestampMs[n]);
    }

    /// <param name="Item">The right answer, as place in the catalogue.</param>
    /// <param name="SeenCount">How many of <paramref name="SeenItems"/> were seen at that moment.</param>
    private readonly record struct Question(int Interaction, int Item, IReadOnlyList<(ItemId Item, double Weight)> Weights, (int Item, double Strength)[] Own, IReadOnlyList<int> SeenItems, int SeenCount, bool Seen, int[] Popular)
    {
        public int PopularAbove { get; init; }
        public int PopularAboveNew { get; init; }
        public int PopularCount { get; init; }
    }

    /// <param name="Above">How many items stand before the right one.</param>
    private readonly record struct RankedAnswer(int Above, int AboveNew, int[] Top, int Count);
}
