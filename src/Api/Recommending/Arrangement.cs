using System.Numerics.Tensors;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// Gives places one after the other, each to the best of what is left: by score, less what resembles items above, within the caps, with some places kept for exploration.
/// A place depends on the ones before it alone. So a longer list begins with the shorter one, and a page continues the page before.
/// </summary>
public static class Arrangement
{
    /// <param name="bestFirst">By score; who comes first of equals stays first.</param>
    /// <returns>In their order; fewer than asked for where no more may be placed.</returns>
    public static IReadOnlyList<Placed> Of(Candidate[] bestFirst, RankingOptions rules, Places places)
    {
        var caps = new ValueCaps(rules.MaxPer);
        bool[] taken = new bool[bestFirst.Length];
        float[] likeness = new float[bestFirst.Length];
        int first = 0; // all before it are taken
        for (int n = 0; n < bestFirst.Length; n++)
            if (bestFirst[n].Shown) Take(n);

        var placed = new List<Placed>(Math.Min(places.Count, bestFirst.Length));
        for (int place = places.From; placed.Count < places.Count; place++)
        {
            int explored = Exploration.Keeps(place, rules.Exploration) ? Next(place) : -1;
            int chosen = explored >= 0 ? explored : Best(place) is var best and >= 0 ? best : Deeper();
            if (chosen < 0) break;
            placed.Add(new Placed(chosen, likeness[chosen], explored >= 0));
            Take(chosen);
        }
        return placed;

        bool Free(int n) => !taken[n] && caps.Admit(bestFirst[n].Values);

        int Best(int place)
        {
            while (first < taken.Length && taken[first]) first++;
            int best = -1;
            double value = double.NegativeInfinity;
            for (int n = first; n < taken.Length; n++)
            {
                double most = Diversity.Value(bestFirst[n].Score, 0, rules.Diversity);
                if (most <= value) break; // those after it have lower scores
                double its = Diversity.Value(bestFirst[n].Score, likeness[n], rules.Diversity);
                if (its > value && bestFirst[n].Enters <= place && Free(n)) (best, value) = (n, its);
            }
            return best;
        }

        int Next(int place)
        {
            int next = -1;
            for (int n = 0; n < taken.Length; n++)
                if (bestFirst[n].Turn is { } turn && bestFirst[n].Enters <= place && (next < 0 || turn < bestFirst[next].Turn) && Free(n)) next = n;
            return next;
        }

        // The caps admit nothing of what is looked at: the next one beyond it that they do.
        int Deeper()
        {
            int next = -1;
            for (int n = 0; n < taken.Length; n++)
                if ((next < 0 || bestFirst[n].Enters < bestFirst[next].Enters) && Free(n)) next = n;
            return next;
        }

        void Take(int chosen)
        {
            taken[chosen] = true;
            caps.Take(bestFirst[chosen].Values);
            if (rules.Diversity == 0) return;
            ReadOnlySpan<float> vector = bestFirst[chosen].Vector;
            for (int n = 0; n < taken.Length; n++)
                if (!taken[n]) likeness[n] = Math.Max(likeness[n], TensorPrimitives.Dot(vector, bestFirst[n].Vector));
        }
    }
}
