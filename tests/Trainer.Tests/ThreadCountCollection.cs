namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Tests that change how many threads the process computes with, which the last bits of other trainings depend on: they run after the others, one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class ThreadCountCollection
{
    internal const string Name = "Thread count";
}
