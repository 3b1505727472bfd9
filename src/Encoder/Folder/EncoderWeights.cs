using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// All tensors of an encoder's files. What its modules take becomes a float32 leaf that wants gradients; the rest (the pooler, position ids, heads of other tasks) is carried along
/// in the type it has, so that a folder saved again holds what the original held. Values go from the mapped file into the tensor's memory and from there to the saved file:
/// no managed array of their size comes up on the way.
/// </summary>
internal sealed class EncoderWeights : IDisposable
{
    private readonly List<WeightFile> files = [];
    private readonly Dictionary<string, Tensor> taken = new(StringComparer.Ordinal);
    /// <summary>Raw bytes [length].</summary>
    private readonly Dictionary<string, Tensor> carried = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> open = [];
    /// <summary>Where each tensor lies in the open files.</summary>
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> unread = new(StringComparer.Ordinal);
    private IReadOnlyList<(string Name, Tensor Value)> inOrder = [];

    private EncoderWeights() { }

    /// <summary>Opens the files of all modules that have weights. Tensors are read as modules take them; <see cref="Complete"/> ends that.</summary>
    internal static EncoderWeights Open(string folder, IEnumerable<ModuleEntry> modules)
    {
        var weights = new EncoderWeights();
        try
        {
            foreach (ModuleEntry module in modules.Where(m => m.IsTransformer || m.Kind == "Dense"))
                foreach (string path in WeightFile.Find(folder, module.Path)) weights.Open(folder, path, module.WeightPrefix);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private void Open(string folder, string path, string module)
    {
        SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, path));
        open.Add(file);
        var weightFile = WeightFile.Of(file, path, module);
        files.Add(weightFile);
        foreach (SafetensorsEntry entry in file.Entries)
            if (!unread.TryAdd(weightFile.NameOf(entry), (file, entry))) throw new InvalidDataException($"{file.Path}: tensor '{weightFile.NameOf(entry)}' is there twice.");
    }

    /// <summary>What the modules took, in file order.</summary>
    internal IReadOnlyList<(string Name, Tensor Value)> Taken => inOrder;

    internal IReadOnlyList<WeightFile> Files => files;

    internal bool IsTaken(WeightFile file, SafetensorsEntry entry) => taken.ContainsKey(file.NameOf(entry));

    /// <summary>Whether a tensor that was taken had another type in the file than the float32 that it has now.</summary>
    internal bool Widened => files.Any(file => file.Entries.Any(entry => entry.Type != SafetensorsType.F32 && IsTaken(file, entry)));

    /// <summary>The tensors of one module.</summary>
    internal NamedWeights Of(string folder, ModuleEntry module) => new(Path.Combine(folder, module.Path, WeightFile.Single), module.WeightPrefix, this);

    /// <returns>Null where there is no such tensor.</returns>
    internal IReadOnlyList<long>? ShapeOf(string name) =>
        taken.TryGetValue(name, out Tensor? tensor) ? tensor.shape : unread.TryGetValue(name, out var found) ? found.Entry.Shape : null;

    /// <summary>The tensor as float32, whose shape the caller has checked; taken again, it is the same.</summary>
    internal Tensor Take(string name)
    {
        if (taken.TryGetValue(name, out Tensor? known)) return known;
        (SafetensorsFile file, SafetensorsEntry entry) = unread[name];
        file.CheckFloats(entry);
        Tensor tensor = empty([.. entry.Shape], dtype: ScalarType.Float32).DetachFromDisposeScope();
        taken.Add(name, tensor);
        file.ReadFloats(entry, MemoryMarshal.Cast<byte, float>(tensor.bytes));
        return tensor.requires_grad_(true);
    }

    /// <summary>All modules have what they need: keeps the bytes of the rest and closes the files.</summary>
    /// <param name="carry">False: keeps nothing of the rest.</param>
    internal void Complete(bool carry = true)
    {
        inOrder = [.. files.SelectMany(file => file.Entries, (file, entry) => file.NameOf(entry)).Where(taken.ContainsKey).Select(name => (name, taken[name]))];
        foreach ((string name, (SafetensorsFile file, SafetensorsEntry entry)) in unread)
        {
            if (!carry || taken.ContainsKey(name) || IsScaleOfTaken(file, entry, name)) continue;
            ReadOnlySpan<byte> bytes = file.Bytes(entry);
            Tensor raw = empty([bytes.Length], dtype: ScalarType.Byte).DetachFromDisposeScope();
            carried.Add(name, raw);
            bytes.CopyTo(raw.bytes);
        }
        unread.Clear();
        foreach (SafetensorsFile file in open) file.Dispose();
        open.Clear();
    }

    /// <summary>The scales of an int8 tensor are spent once it is float32.</summary>
    private bool IsScaleOfTaken(SafetensorsFile file, SafetensorsEntry entry, string name) =>
        name.EndsWith(SafetensorsFile.ScaleSuffix, StringComparison.Ordinal) && taken.ContainsKey(name[..^SafetensorsFile.ScaleSuffix.Length])
        && file[entry.Name[..^SafetensorsFile.ScaleSuffix.Length]].Type == SafetensorsType.I8;

    internal EncoderWeights Clone() => CloneTo(torch.CPU);

    /// <summary>What was taken in memory of its own; what is only carried never changes and is shared.</summary>
    internal EncoderWeights CloneTo(Device device)
    {
        using IDisposable still = no_grad();
        var clone = new EncoderWeights();
        clone.files.AddRange(files);
        foreach ((string name, Tensor value) in taken) clone.taken.Add(name, value.to(device, copy: true).DetachFromDisposeScope().requires_grad_(true));
        foreach ((string name, Tensor value) in carried) clone.carried.Add(name, value.detach().DetachFromDisposeScope());
        return clone;
    }

    /// <summary>Writes every file under its own path. Where all tensors have their types of before, header and order are those of before, too.</summary>
    internal void Write(string folder)
    {
        foreach (WeightFile file in files)
        {
            SafetensorsTensor[] tensors = [.. file.Entries.Where(entry => taken.ContainsKey(file.NameOf(entry)) || carried.ContainsKey(file.NameOf(entry))).Select(entry => TensorOf(file, entry))];
            string path = Path.Combine(folder, file.Path);
            if (tensors.Select(t => t.Type).SequenceEqual(file.Entries.Select(e => e.Type))) SafetensorsWriter.WriteUnder(file.Header, path, tensors);
            else SafetensorsWriter.Write(path, tensors, file.Metadata);
        }
    }

    /// <summary>Writes what was taken, and nothing else, to one file.</summary>
    internal void WriteTaken(string path) => SafetensorsWriter.Write(
        path,
        [.. Taken.Select(w => new SafetensorsTensor(w.Name, SafetensorsType.F32, w.Value.shape, stream => WriteBytes(w.Value, stream)))],
        new Dictionary<string, string> { ["format"] = "pt" });

    private SafetensorsTensor TensorOf(WeightFile file, SafetensorsEntry entry) => taken.TryGetValue(file.NameOf(entry), out Tensor? value)
        ? new SafetensorsTensor(entry.Name, SafetensorsType.F32, entry.Shape, stream => WriteBytes(value, stream))
        : new SafetensorsTensor(entry.Name, entry.Type, entry.Shape, stream => WriteBytes(carried[file.NameOf(entry)], stream));

    private static void WriteBytes(Tensor tensor, Stream stream)
    {
        using IDisposable still = no_grad();
        using DisposeScope scope = NewDisposeScope(); // aliases that would keep the memory after Dispose
        stream.Write(tensor.cpu().contiguous().bytes);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in taken.Values) tensor.Dispose();
        foreach (Tensor tensor in carried.Values) tensor.Dispose();
        foreach (SafetensorsFile file in open) file.Dispose();
        open.Clear();
    }
}
