using System.Globalization;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>A simulated shop as a data set: the catalogue in JSON Lines, the interactions in CSV packed with gzip.</summary>
internal sealed class ShopFiles
{
    public ShopFiles(Files files, int products, int shoppers)
    {
        Shop shop = Shop.Open(new ShopOptions { Products = products, Shoppers = shoppers });
        Rows = shop.Interactions.Count;
        Items = files.Write("items.jsonl", string.Concat(shop.Products.Select(product =>
            JsonSerializer.Serialize(new { item_id = product.Item.ItemId.Value, title = product.Item.Title, text = product.Item.Description }) + "\n")));
        var csv = new StringBuilder("user_id,item_id,timestamp\n");
        foreach (InteractionEvent interaction in shop.Interactions)
            csv.Append(CultureInfo.InvariantCulture, $"{interaction.UserId},{interaction.ItemId},{interaction.TimestampMs}\n");
        Interactions = files.WriteGzip("interactions.csv.gz", csv.ToString());
        Policy = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 20\nhead_warm_steps: 10\nhead_output: 128\nmin_holdout_users: 5\n");
    }

    public string Items { get; }
    public string Interactions { get; }
    /// <summary>Trains in a moment on the tiny encoder.</summary>
    public string Policy { get; }
    public int Rows { get; }
}
