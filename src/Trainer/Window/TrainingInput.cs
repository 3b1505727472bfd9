using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What a training works on: read now, or once more as an interrupted training saw it.</summary>
/// <param name="Query">Reads the same window again.</param>
/// <param name="ItemOffsets">Read the same catalogue again.</param>
/// <param name="CatalogueHash">Of ids and texts with their attributes.</param>
/// <param name="Resumed">The training that goes on; null: one begins.</param>
/// <param name="Problem">Why an interrupted training does not go on; null: it does, or there was none.</param>
internal sealed record TrainingInput(TrainingWindow Window, TrainingCatalogue Catalogue, WindowQuery Query, IReadOnlyDictionary<int, long> ItemOffsets, string CatalogueHash, CheckpointedTraining? Resumed, string? Problem)
{
    public static TrainingInput Read(IWindowStore windows, WindowQuery query, TrainingPolicy policy, ItemText itemText, ModelVersion live, Interruption? interruption)
    {
        if (interruption is null) return Read(windows, query, windows.NextOffsets(Topics.Items), policy, itemText);
        string problem = interruption.Problem ?? "";
        if (interruption.Training is { } training)
        {
            if (training.Live != live.Value) problem = $"it began when model {training.Live} was live, and {live} is live now.";
            else
            {
                TrainingInput then = Read(windows, training.Query, training.ItemOffsets, policy, itemText);
                if (then.Window.Rows.ContentHash != training.WindowHash) problem = "its window cannot be read any more as it was (a user was forgotten, or old interactions are gone).";
                else if (then.CatalogueHash != training.CatalogueHash) problem = "its catalogue cannot be read any more as it was.";
                else return then with { Resumed = training };
            }
        }
        return Read(windows, query, windows.NextOffsets(Topics.Items), policy, itemText) with { Problem = problem };
    }

    private static TrainingInput Read(IWindowStore windows, WindowQuery query, IReadOnlyDictionary<int, long> itemOffsets, TrainingPolicy policy, ItemText itemText)
    {
        TrainingWindow window = TrainingWindow.Read(windows, query, policy);
        IReadOnlyList<StoredItem> items = windows.ReadCatalogue(itemOffsets);
        var catalogue = new TrainingCatalogue(items, itemText);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (StoredItem item in items) hash.AppendData(Encoding.UTF8.GetBytes($"{item.Id.Value.Length} {item.Id} "));
        foreach (string text in catalogue.Words) hash.AppendData(Encoding.UTF8.GetBytes($"{text.Length} {text} "));
        return new TrainingInput(window, catalogue, query with { AsOf = window.Rows.AsOf }, itemOffsets, Convert.ToHexStringLower(hash.GetHashAndReset()), null, null);
    }
}
