namespace BeeFormer.Streaming.Trainer;

/// <summary>Linear warm-up over the first tenth, then half a cosine down to 0; without schedule the rate is constant.</summary>
internal static class LearningRateSchedule
{
    private const double WarmUp = 0.1;

    /// <param name="step">From 0.</param>
    public static double At(double lr, bool scheduled, int step, int steps)
    {
        if (!scheduled) return lr;
        // + 1: the first step already learns, and the last one still does.
        double done = (step + 1.0) / (steps + 1.0);
        return done < WarmUp ? lr * done / WarmUp : lr * 0.5 * (1 + Math.Cos(Math.PI * (done - WarmUp) / (1 - WarmUp)));
    }
}
