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
    /// <summary>What a user whom nobody knows is foretold by the model from what came last, all of it alike or the newest first.</summary>
    public const string Alike = "last 10 alike";
    public const string ByOrder = "last 10 by order";
    private const int Session = 10;

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
    private readonly IReadOnlyList<(string Name, RankingOptions Ranking)> served; // the first is what is in service
    private readonly ItemNovelty novelty;
    private readonly ItemId[] catalogueIds;
    private float[] popularityThen = []; // [questions, catalogue]: popularity as it was at each question

    public Rehearsal(InteractionTable table, string type, IReadOnlyDictionary<ItemId, int> places, Periods periods, ReplayCheckpoint measured,
        UserVectorOptions options, RankingOptions ranking, TimeSpan popularityHalfLife, int historyLength, params IReadOnlyList<(string Name, RankingOptions Ranking)> variants)
    {
        (this.table, this.type, this.places, this.periods, this.measured, this.options, this.ranking) = (table, type, places, periods, measured, options, ranking);
        itemOf = [.. table.Items.Select(item => places.GetValueOrDefault(item, -1))];
        catalogue = places.Count;
        histories = new UserHistories(table.Users.Count, historyLength, options);
        popularity = new RecentPopularity(places.Count, popularityHalfLife);
        novelty = new ItemNovelty(places.Count);
        catalogueIds = [.. places.OrderBy(place => place.Value).Select(place => place.Key)];
        served = [(Served, ranking), .. variants];
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
                question = question with { Moment = new Moment(n, table.TimestampMs[n], table.Users[user].Value, popularity.Scale(table.TimestampMs[n])), Last = histories.Last(user, Session), PopularAbove = above, PopularAboveNew = aboveNew, PopularCount = Ranking.Top(popularity.Scores, top) };
                top.CopyTo(question.Popular);
                Show(measures, question.Popular.AsSpan(0, question.PopularCount), n, models[0].Vectors);
                popularity.Scores.CopyTo(popularityThen.AsSpan(questions.Count * catalogue));
                questions.Add(question);
                MeasureHistory(question, models[0].Vectors);
            }
            Learn(n);
        }
        ItemVectors now = models[0].Vectors;
        for (int n = 0; n < models.Count; n++) Measure(questions, models[n].Name, models[n].Vectors, now, blends: n == 0);
        Measure([.. questions.Select(question => question with { Weights = [.. question.Last.Select(item => (item, 1.0))] })], Alike, now, now, blends: false);
        Measure([.. questions.Select(question => question with { Weights = UserVector.ByOrder(question.Last, options) })], ByOrder, now, now, blends: false);
        if (elsa is null) return;
        foreach (IGrouping<int, Question> period in questions.GroupBy(question => periods.Of(question.Interaction)))
            Measure([.. period], Elsa, elsa.Of(period.Key, cancellationToken), now, blends: false);
    }

    /// <param name="now">The vectors in service.</param>
    /// <param name="blends">Measures the blends with this model as well.</param>
    private void Measure(List<Question> questions, string name, ItemVectors vectors, ItemVectors now, bool blends)
    {
        float[]?[] users = new float[]?[questions.Count];
        Parallel.For(0, questions.Count, n => users[n] = UserVector.Sum(questions[n].Weights, vectors.VectorOf));
        int[] known = [.. Enumerable.Range(0, questions.Count).Where(n => users[n] is not null)];
        float[] scores = vectors.Score([.. known.Select(n => users[n]!)]);

        var answers = new RankedAnswer[questions.Count];
        for (int n = 0; n < questions.Count; n++)
            if (users[n] is null) answers[n] = new RankedAnswer(questions[n].PopularAbove, questions[n].PopularAboveNew, questions[n].Popular, questions[n].PopularCount);
        RankedAnswer[][] blended = blends ? [.. served.Select(_ => answers.ToArray())] : [];
        Parallel.For(0, known.Length, row =>
        {
            Question question = questions[known[row]];
            ReadOnlySpan<float> ranking = scores.AsSpan(row * vectors.Items, vectors.Items);
            answers[known[row]] = Ranked(ranking, Places(ranking, question));
            for (int n = 0; n < blended.Length; n++)
                blended[n][known[row]] = Blended(ranking, popularityThen.AsSpan(known[row] * catalogue, catalogue), question, vectors, served[n].Ranking);
        });
        Record(questions, name, answers, now);
        for (int n = 0; n < blended.Length; n++) Record(questions, served[n].Name, blended[n], now);
    }

    /// <summary>Where the item is new to the user, once more as the service would without the items seen.</summary>
    private RankedAnswer Blended(ReadOnlySpan<float> cosines, ReadOnlySpan<float> popularity, Question question, ItemVectors vectors, RankingOptions options)
    {
        int[] list = ServedList.Of(cosines, popularity, question.Own, question.Moment, novelty, vectors, catalogueIds, options);
        int aboveNew = int.MaxValue;
        if (!question.Seen)
        {
            float[] unseen = cosines.ToArray();
            for (int n = 0; n < question.SeenCount; n++) unseen[question.SeenItems[n]] = float.NegativeInfinity;
            aboveNew = Above(ServedList.Of(unseen, popularity, [], question.Moment, novelty, vectors, catalogueIds, options), question.Item);
        }
        return new RankedAnswer(Above(list, question.Item), aboveNew, list, list.Length);
    }

    private static int Above(int[] list, int item) => Array.IndexOf(list, item) is var place and >= 0 ? place : int.MaxValue;

    private static RankedAnswer Ranked(ReadOnlySpan<float> scores, (int Above, int AboveNew) places)
    {
        int[] top = new int[Ranking.Depth];
        return new RankedAnswer(places.Above, places.AboveNew, top, Ranking.Top(scores, top));
    }

    private void Record(List<Question> questions, string name, RankedAnswer[] answers, ItemVectors now)
    {
        for (int n = 0; n < questions.Count; n++)
        {
            PeriodMeasures measures = measured.Of(name, periods.Of(questions[n].Interaction));
            measures.Add(answers[n].Above);
            if (!questions[n].Seen) measures.AddNew(answers[n].AboveNew);
            Show(measures, answers[n].Top.AsSpan(0, answers[n].Count), questions[n].Interaction, now);
        }
    }

    private void Show(PeriodMeasures measures, ReadOnlySpan<int> list, int interaction, ItemVectors now)
    {
        int fresh = 0;
        foreach (int item in list)
            if (novelty.IsNew(item, interaction)) fresh++;
        measures.Show(list, catalogue);
        measures.Describe(now.Likeness(list), list.Length, fresh);
    }

    /// <summary>An item that the user has not bought is in no history: missed. A user who has bought nothing is shown what is popular.</summary>
    private void MeasureHistory(Question question, ItemVectors now)
    {
        PeriodMeasures measures = measured.Of(History, periods.Of(question.Interaction));
        int place = Array.FindIndex(question.Own, own => own.Item == question.Item);
        bool unknown = question.Own.Length == 0;
        measures.Add(unknown ? question.PopularAbove : place < 0 ? int.MaxValue : place);
        if (!question.Seen) measures.AddNew(unknown ? question.PopularAboveNew : int.MaxValue);
        Show(measures, unknown ? question.Popular.AsSpan(0, question.PopularCount) : [.. question.Own.Take(Ranking.Depth).Select(own => own.Item)], question.Interaction, now);
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
        novelty.Add(item, n, table.TimestampMs[n]);
    }

    /// <param name="Item">The right answer, as place in the catalogue.</param>
    /// <param name="SeenCount">How many of <paramref name="SeenItems"/> were seen at that moment.</param>
    private readonly record struct Question(int Interaction, int Item, IReadOnlyList<(ItemId Item, double Weight)> Weights, (int Item, double Strength)[] Own, IReadOnlyList<int> SeenItems, int SeenCount, bool Seen, int[] Popular)
    {
        public Moment Moment { get; init; }
        /// <summary>The user's last items, newest first.</summary>
        public IReadOnlyList<ItemId> Last { get; init; } = [];
        public int PopularAbove { get; init; }
        public int PopularAboveNew { get; init; }
        public int PopularCount { get; init; }
    }

    /// <param name="Above">How many items stand before the right one.</param>
    private readonly record struct RankedAnswer(int Above, int AboveNew, int[] Top, int Count);
}
