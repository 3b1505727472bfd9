namespace BeeFormer.Streaming.FakeQdrant;

/// <param name="MayWrite">False: the read-only key.</param>
/// <param name="LoseWrites">Its writes to points are answered and forgotten.</param>
internal readonly record struct Caller(bool MayWrite, bool LoseWrites)
{
    public void ToWrite()
    {
        if (!MayWrite) throw Refusal.Forbidden();
    }
}
