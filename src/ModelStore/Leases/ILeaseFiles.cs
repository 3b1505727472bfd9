namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// Where leases are written down: <c>&lt;name&gt;/&lt;token, 20 digits&gt;.json</c>. The highest token holds; only its holder writes to it, and who takes over creates the next one, exclusively. So there is no lock
/// in which a holder could hang.
/// </summary>
internal interface ILeaseFiles
{
    /// <returns>0: the lease was never held.</returns>
    long Highest(string name);

    /// <returns>Null: it is gone.</returns>
    byte[]? Read(string name, long token);

    /// <returns>False: the token is taken.</returns>
    bool TryCreate(string name, long token, byte[] content);

    /// <returns>False: it is gone, so a higher one was created.</returns>
    bool TryRewrite(string name, long token, byte[] content);

    void RemoveBelow(string name, long token);

    /// <summary>Identity of this machine since it was started.</summary>
    string Machine { get; }

    /// <summary>Shows others on this machine, until the result is disposed or the process ends, that the holder is there. Null: that cannot be shown here.</summary>
    IDisposable? Attend(string name, Guid holder);

    /// <summary>The holder's process has ended for certain.</summary>
    bool HasEnded(string name, LeaseRecord record);
}
