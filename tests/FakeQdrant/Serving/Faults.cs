namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The faults that tests have asked for; the first that concerns a call meets it.</summary>
internal sealed class Faults
{
    private readonly Lock gate = new();
    private readonly List<Fault> faults = [];

    public void Add(Fault fault) { lock (gate) faults.Add(fault); }

    public void Remove(Fault fault) { lock (gate) faults.Remove(fault); }

    public Fault? Take(RecordedCall call)
    {
        lock (gate)
        {
            var fault = faults.Find(one => one.Met < one.Times && (one.Method is null || one.Method == call.Method) && one.When?.Invoke(call) != false);
            if (fault is not null) fault.Met++;
            return fault;
        }
    }
}
