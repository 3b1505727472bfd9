namespace BeeFormer.Streaming.Encoder;

/// <summary>Element types of a safetensors file.</summary>
public enum SafetensorsType { Bool, U8, I8, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64 }

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Shape">Row-major; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
public sealed record SafetensorsEntry(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    public long Count
    {
        get
        {
            long count = 1;
            foreach (long size in Shape) count *= size;
            return count;
        }
    }

    internal string ShapeText => $"[{string.Join(", ", Shape)}]";

    internal static int BytesOf(SafetensorsType type) => type switch
    {
        SafetensorsType.Bool or SafetensorsType.U8 or SafetensorsType.I8 => 1,
        SafetensorsType.U16 or SafetensorsType.I16 or SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        SafetensorsType.U32 or SafetensorsType.I32 or SafetensorsType.F32 => 4,
        _ => 8,
    };

    internal static bool TryParse(string name, out SafetensorsType type)
    {
        if (name == "BOOL") { type = SafetensorsType.Bool; return true; }
        return Enum.TryParse(name, ignoreCase: false, out type) && NameOf(type) == name;
    }

    internal static string NameOf(SafetensorsType type) => type == SafetensorsType.Bool ? "BOOL" : type.ToString();
}
