namespace BeeFormer.Streaming.Architecture.Tests;
public class ProbeTests { [Fact] public void Passes() => Assert.Equal(2, 1 + 1); }
