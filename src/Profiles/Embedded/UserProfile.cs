namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>One user's newest interactions, newest first by event time; of equal times the later arrival is the newer.</summary>
internal sealed class UserProfile
{
    private readonly List<ProfileInteraction> _oldestFirst = [];

    public int Count => _oldestFirst.Count;

    /// <summary>False when nothing changed: the event id is known, or all that is kept is newer.</summary>
    public bool Add(ProfileInteraction interaction, int limit)
    {
        foreach (var known in _oldestFirst)
            if (known.EventId == interaction.EventId) return false;
        int at = _oldestFirst.Count;
        while (at > 0 && _oldestFirst[at - 1].TimestampMs > interaction.TimestampMs) at--;
        if (_oldestFirst.Count >= limit)
        {
            if (at == 0) return false;
            _oldestFirst.RemoveAt(0);
            at--;
        }
        _oldestFirst.Insert(at, interaction);
        return true;
    }

    public IReadOnlyList<ProfileInteraction> NewestFirst()
    {
        var copy = _oldestFirst.ToArray();
        Array.Reverse(copy);
        return copy;
    }

    public IEnumerable<ProfileInteraction> OldestFirst() => _oldestFirst;
}
