namespace BeeFormer.Streaming.Encoder;

/// <summary>The small files of an encoder folder, kept byte for byte so that a folder saved again holds what the original held.</summary>
internal static class CarriedFiles
{
    /// <summary>Configuration, vocabularies, tokenizer models, chat templates, documentation. Other forms of the weights (.bin, .onnx, .h5) are not among them, nor is the text template, which is the model's.</summary>
    private static readonly string[] extensions = [".json", ".txt", ".model", ".md", ".jinja"];
    private static readonly string[] documents = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

    /// <summary>Files of the folder itself and of its modules' folders, by their paths in it; what lies in other folders is not the encoder's.</summary>
    internal static Dictionary<string, byte[]> Read(string folder, IEnumerable<ModuleEntry> modules)
    {
        var kept = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string place in modules.Select(m => m.Path).Prepend("").Distinct())
        {
            string path = Path.Combine(folder, place);
            if (!Directory.Exists(path)) continue;
            foreach (string file in Directory.EnumerateFiles(path).Where(IsCarried))
            {
                long length = new FileInfo(file).Length;
                if (length > JsonFile.MaxBytes) throw new InvalidDataException($"{file} is larger than {JsonFile.MaxBytes} bytes; expected a file that belongs to an encoder. Move it to another folder.");
                kept[Path.GetRelativePath(folder, file)] = File.ReadAllBytes(file);
            }
        }
        return kept;
    }

    private static bool IsCarried(string file)
    {
        string name = Path.GetFileName(file);
        return name != ItemTextFile.Name && !name.StartsWith("pytorch_model.", StringComparison.Ordinal)
            && (extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase) || Array.Exists(documents, d => name.StartsWith(d, StringComparison.OrdinalIgnoreCase)));
    }
}
