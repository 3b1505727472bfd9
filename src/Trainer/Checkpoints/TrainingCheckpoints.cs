using System.Security.Cryptography;
using System.Text.Json;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// The last checkpoint of the encoder training that runs, in a folder of its own: <c>encoder-….safetensors</c> (all weights and moments; what the training was in its metadata), and <c>encoder.json</c>,
/// which names that file and its SHA-256. The file is on disk before it is named, so a crash leaves the old checkpoint or the new one. One training at a time.
/// </summary>
public sealed class TrainingCheckpoints(string folder)
{
    /// <summary>So often a checkpoint is gone on from without a newer one: a training that takes the process down with it must end some day.</summary>
    private const int MostAttempts = 3;
    private const string Format = "beeformer encoder training 1", Training = "training";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    private string NameFile => Path.Combine(folder, "encoder.json");

    /// <summary>A training was interrupted, or one runs.</summary>
    internal bool Any => File.Exists(NameFile);

    /// <returns>Null: no training was interrupted.</returns>
    internal Interruption? Find()
    {
        if (!Any) return null;
        Named? named = null;
        try
        {
            named = JsonSerializer.Deserialize<Named>(File.ReadAllBytes(NameFile), Json) ?? throw new JsonException("expected an object, found null");
            if (named.File != Path.GetFileName(named.File)) throw new InvalidDataException($"{NameFile} names {named.File}; expected a file beside it.");
            string file = Path.Combine(folder, named.File);
            if (!File.Exists(file)) throw new InvalidDataException($"{file} is missing.");
            if (HashOf(file) is var hash && hash != named.Sha256) throw new InvalidDataException($"{file} has SHA-256 {hash}; {named.Sha256} was written.");
            using SafetensorsFile tensors = SafetensorsFile.Open(file);
            if (tensors.Metadata.GetValueOrDefault("format") is var format && format != Format) throw new InvalidDataException($"{file} has format {format ?? "none"}; expected {Format}.");
            return new Interruption(named.TrainingId, file, CheckpointedTraining.Parse(tensors.Metadata.GetValueOrDefault(Training) ?? ""), named.Attempts, null);
        }
        catch (JsonException damage)
        {
            return new Interruption(named?.TrainingId, NameFile, null, 0, $"{NameFile} or what it names is damaged: {damage.Message}");
        }
        catch (Exception damage) when (damage is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new Interruption(named?.TrainingId, NameFile, null, 0, damage.Message);
        }
    }

    /// <summary>One more try begins.</summary>
    /// <returns>False: it was tried often enough.</returns>
    internal bool TryBegin(Interruption interruption)
    {
        if (interruption.Attempts >= MostAttempts) return false;
        if (interruption.Problem is null) SetAttempts(interruption.Attempts + 1);
        return true;
    }

    /// <summary>The program was stopped in an orderly way: that says nothing against the training.</summary>
    internal void ForgetAttempts() => SetAttempts(0);

    private void SetAttempts(int attempts)
    {
        try
        {
            if (!Any || JsonSerializer.Deserialize<Named>(File.ReadAllBytes(NameFile), Json) is not { } named || named.Attempts == attempts) return;
            DurableFiles.Rewrite(NameFile, JsonSerializer.SerializeToUtf8Bytes(named with { Attempts = attempts }, Json));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            // Not counted: the worst is one try more, or one less.
        }
    }

    internal void Save(CheckpointedTraining training, IEnumerable<StatePart> parts)
    {
        string name = $"encoder-{Guid.NewGuid():N}.safetensors", file = Path.Combine(folder, name);
        SafetensorsWriter.Write(file, [.. parts.Select(part => part.Tensor)], new Dictionary<string, string> { ["format"] = Format, [Training] = training.ToJson() });
        DurableFiles.Rewrite(NameFile, JsonSerializer.SerializeToUtf8Bytes(new Named(training.TrainingId, name, HashOf(file), 0), Json));
        RemoveAllBut(name);
    }

    /// <summary>Puts every part back, or none.</summary>
    /// <exception cref="InvalidDataException">The checkpoint holds other parts; names the first.</exception>
    internal static void Restore(string file, IReadOnlyList<StatePart> parts)
    {
        using SafetensorsFile tensors = SafetensorsFile.Open(file);
        foreach (StatePart part in parts)
        {
            SafetensorsEntry found = tensors[part.Name];
            if (found.Type != part.Type || !found.Shape.SequenceEqual(part.Shape))
                throw new InvalidDataException($"{file}: {part.Name} has the shape [{string.Join(", ", found.Shape)}]; expected [{string.Join(", ", part.Shape)}].");
        }
        foreach (StatePart part in parts) part.Restore(tensors.Bytes(tensors[part.Name]));
    }

    /// <summary>The training has ended.</summary>
    internal void Remove()
    {
        if (!Any) return;
        DurableFiles.DeleteFile(NameFile);
        DurableFiles.FlushFolder(folder); // the name goes first: nothing names what is gone
        RemoveAllBut(null);
    }

    private void RemoveAllBut(string? name)
    {
        foreach (string file in Directory.GetFiles(folder, "encoder-*"))
            if (Path.GetFileName(file) != name) DurableFiles.DeleteFile(file);
    }

    private static string HashOf(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary><c>encoder.json</c>. Frozen names; may grow.</summary>
    /// <param name="Attempts">How often it was gone on from.</param>
    private sealed record Named(Guid TrainingId, string File, string Sha256, int Attempts);
}

/// <summary>A training that a process left behind.</summary>
/// <param name="TrainingId">Null: not even that can be read.</param>
/// <param name="File">With the weights.</param>
/// <param name="Training">Null: damaged.</param>
/// <param name="Problem">Why it cannot be gone on from; null when it can.</param>
internal sealed record Interruption(Guid? TrainingId, string File, CheckpointedTraining? Training, int Attempts, string? Problem);
