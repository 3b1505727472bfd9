using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies a 64-bit little-endian ELF library and sets VER_FLG_WEAK on one entry of its version requirements (.gnu.version_r),
/// so that the dynamic linker warns instead of refusing where the system's library lacks that version.
/// </summary>
public class WeakenGlibcxxRequirement : Task
{
    private const uint SectionTypeVersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort WeakFlag = 0x2; // VER_FLG_WEAK

    [Required] public string Source { get; set; }
    [Required] public string Destination { get; set; }
    [Required] public string VersionName { get; set; }

    public override bool Execute()
    {
        var source = new FileInfo(Source);
        var destination = new FileInfo(Destination);
        if (destination.Exists && destination.Length == source.Length && destination.LastWriteTimeUtc >= source.LastWriteTimeUtc)
            return true;

        byte[] elf = File.ReadAllBytes(Source);
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[4] != 2 || elf[5] != 1)
        {
            Log.LogError("{0} is not a 64-bit little-endian ELF file.", Source);
            return false;
        }
        int weakened = Weaken(elf);
        Log.LogMessage(MessageImportance.Low, "{0}: {1} requirement(s) for {2} marked weak.", Source, weakened, VersionName);

        // Written under its own name first: projects build side by side, and none may see half a library.
        Directory.CreateDirectory(destination.DirectoryName);
        string temporary = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, elf);
        try { File.Move(temporary, Destination); }
        catch (IOException)
        {
            if (File.Exists(Destination) && new FileInfo(Destination).Length == elf.Length) { File.Delete(temporary); return true; }
            File.Delete(Destination);
            File.Move(temporary, Destination);
        }
        return true;
    }

    private int Weaken(byte[] elf)
    {
        long sections = BitConverter.ToInt64(elf, 0x28);
        int sectionSize = BitConverter.ToUInt16(elf, 0x3a);
        int sectionCount = BitConverter.ToUInt16(elf, 0x3c);
        int weakened = 0;
        for (int s = 0; s < sectionCount; s++)
        {
            long header = sections + (long)s * sectionSize;
            if (BitConverter.ToUInt32(elf, (int)header + 4) != SectionTypeVersionNeeds) continue;
            long needs = BitConverter.ToInt64(elf, (int)header + 0x18);
            int stringSection = BitConverter.ToInt32(elf, (int)header + 0x28);
            long strings = BitConverter.ToInt64(elf, (int)(sections + (long)stringSection * sectionSize) + 0x18);
            weakened += WeakenEntries(elf, needs, strings);
        }
        return weakened;
    }

    private int WeakenEntries(byte[] elf, long need, long strings)
    {
        int weakened = 0;
        while (true)
        {
            int count = BitConverter.ToUInt16(elf, (int)need + 2);
            long entry = need + BitConverter.ToUInt32(elf, (int)need + 8);
            for (int i = 0; i < count; i++)
            {
                int name = (int)(strings + BitConverter.ToUInt32(elf, (int)entry + 8));
                if (NameAt(elf, name) == VersionName)
                {
                    ushort flags = (ushort)(BitConverter.ToUInt16(elf, (int)entry + 4) | WeakFlag);
                    BitConverter.GetBytes(flags).CopyTo(elf, (int)entry + 4);
                    weakened++;
                }
                entry += BitConverter.ToUInt32(elf, (int)entry + 12);
            }
            uint next = BitConverter.ToUInt32(elf, (int)need + 12);
            if (next == 0) return weakened;
            need += next;
        }
    }

    private static string NameAt(byte[] elf, int start)
    {
        int end = Array.IndexOf(elf, (byte)0, start);
        return Encoding.ASCII.GetString(elf, start, end - start);
    }
}
