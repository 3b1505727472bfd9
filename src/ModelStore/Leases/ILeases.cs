namespace BeeFormer.Streaming.ModelStore;

/// <summary>Who may do a work that only one process does at a time. A holder that dies, hangs or is cut off is followed by another within 30 seconds.</summary>
public interface ILeases
{
    /// <summary>Waits until the lease is ours. A place that cannot be reached is waited for, too.</summary>
    /// <param name="name">The work: lower-case letters, digits and '-', at most 40.</param>
    Task<HeldLease> AcquireAsync(string name, CancellationToken cancellationToken);

    /// <returns>Null: somebody holds it, or may hold it still.</returns>
    /// <exception cref="IOException">The place cannot be reached.</exception>
    HeldLease? TryAcquire(string name);
}

/// <summary>The work has another holder by now; nothing was changed.</summary>
public sealed class LeaseLostException(string message) : InvalidOperationException(message);
