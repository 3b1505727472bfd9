namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>What servers of a version do otherwise than 1.19, as far as a client meets it.</summary>
internal sealed record Generation(Version Version)
{
    /// <summary>Older ones ignore <c>UpsertPoints.update_filter</c> and the metadata of collections.</summary>
    public bool KnowsUpdateFilterAndMetadata => Version >= new Version(1, 15, 4);

    /// <summary>Older ones ignore <c>UpsertPoints.update_mode</c> and report no update queue.</summary>
    public bool KnowsUpdateModeAndQueue => Version >= new Version(1, 17);

    /// <summary>Older ones answer with <c>VectorOutput.data</c>.</summary>
    public bool AnswersDenseVectors => Version >= new Version(1, 17);
}
