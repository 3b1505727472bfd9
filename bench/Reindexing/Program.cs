// A new model's collection, from publication to switch, on the embedded parts (or a server: --set Qdrant:Endpoint=…): with a new head only, and with every text to encode; what an event waits meanwhile.
using System.CommandLine;
using BeeFormer.Streaming.Reindexing;

var items = new Option<int>("--items") { Description = "Items of the catalogue whose head is exchanged; 0: none", DefaultValueFactory = _ => 100_000 };
var encoded = new Option<int>("--encoded") { Description = "Items of the catalogue that is encoded with the encoder that comes with the program; 0: none", DefaultValueFactory = _ => 2_000 };
var records = new Option<int>("--records") { Description = "Records of a cache that is opened; 0: none", DefaultValueFactory = _ => 0 };
var settings = new Option<string[]>("--set") { Description = "Configuration as Key=Value, such as Qdrant:Endpoint=http://127.0.0.1:6334", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
var threads = new Option<int>("--threads") { Description = "Threads", DefaultValueFactory = _ => 2 };

var command = new RootCommand("Rebuilds of the index, from publication to switch") { items, encoded, records, settings, threads };
command.SetAction(async (arguments, cancellationToken) =>
{
    TorchSharp.torch.set_num_threads(arguments.GetValue(threads));
    string[] set = arguments.GetValue(settings)!;
    if (arguments.GetValue(items) > 0) await HeadExchange.RunAsync(arguments.GetValue(items), set, cancellationToken);
    if (arguments.GetValue(encoded) > 0) await FullRebuild.RunAsync(arguments.GetValue(encoded), set, cancellationToken);
    if (arguments.GetValue(records) > 0) CacheOpening.Run(arguments.GetValue(records));
    return 0;
});
return await command.Parse(args).InvokeAsync();
