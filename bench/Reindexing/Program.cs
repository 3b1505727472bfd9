// A new model's collection, from publication to switch, on the embedded parts: with a new head only, and with every text to encode; what an event waits meanwhile.
using System.CommandLine;
using BeeFormer.Streaming.Reindexing;

var items = new Option<int>("--items") { Description = "Items of the catalogue whose head is exchanged", DefaultValueFactory = _ => 100_000 };
var encoded = new Option<int>("--encoded") { Description = "Items of the catalogue that is encoded with the encoder that comes with the program; 0: none", DefaultValueFactory = _ => 2_000 };
var records = new Option<int>("--records") { Description = "Records of a cache that is opened; 0: none", DefaultValueFactory = _ => 0 };
var threads = new Option<int>("--threads") { Description = "Threads", DefaultValueFactory = _ => 2 };

var command = new RootCommand("Rebuilds of the index, from publication to switch") { items, encoded, records, threads };
command.SetAction(async (arguments, cancellationToken) =>
{
    TorchSharp.torch.set_num_threads(arguments.GetValue(threads));
    await HeadExchange.RunAsync(arguments.GetValue(items), cancellationToken);
    if (arguments.GetValue(encoded) > 0) await FullRebuild.RunAsync(arguments.GetValue(encoded), cancellationToken);
    if (arguments.GetValue(records) > 0) CacheOpening.Run(arguments.GetValue(records));
    return 0;
});
return await command.Parse(args).InvokeAsync();
