namespace BeeFormer.Streaming.FakeQdrant;

/// <param name="MayWrite">False: the read-only key.</param>
/// <param name="LoseWrites">Its writes to points are answered and forgotten.</param>
/// <param name="WaitTimesOut">Its writes to points are answered before they are applied.</param>
internal readonly record struct Caller(bool MayWrite, bool LoseWrites, bool WaitTimesOut)
{
    public void ToWrite()
    {
        if (!MayWrite) throw Refusal.Forbidden();
    }
}
