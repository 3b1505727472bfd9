// What grows with what: `dotnet run -c Release --project bench/Scaling -- ingest|windows|profiles|index [numbers]`
using System.Globalization;
using BeeFormer.Streaming.Scaling;

int[] numbers = [.. args.Skip(1).Select(argument => int.Parse(argument, CultureInfo.InvariantCulture))];
string folder = Directory.CreateTempSubdirectory("scaling-").FullName;
try
{
    switch (args.FirstOrDefault())
    {
        case "ingest": await Replicas.MeasureAsync(folder, numbers is [var events, ..] ? events : 1_000_000); break;
        case "windows": WindowSizes.Measure(folder, numbers is [] ? [1_000_000, 10_000_000, 100_000_000] : numbers); break;
        case "profiles": await StoredUsers.MeasureAsync(folder, numbers is [var users, ..] ? users : 20_000); break;
        case "index": await StoredItems.MeasureAsync(folder, numbers is [] ? [20_000, 100_000] : numbers); break;
        default: Console.Error.WriteLine("expected ingest [events], windows [interactions …], profiles [users] or index [items …]"); return 1;
    }
    return 0;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
