namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>Meters of all hosts in a process have the same names: one host that ends would end the metrics of another.</summary>
[CollectionDefinition(Name)]
public static class OneHostAtATime
{
    public const string Name = "one host at a time";
}
