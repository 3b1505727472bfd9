namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The WordPiece vocabulary as two tries in one hash table: pieces that begin a word, and pieces that continue one (<c>##ing</c>).
/// One walk finds the longest piece at a position, so a word costs one look-up a character and no strings are made.
/// </summary>
internal sealed class WordPieces
{
    private const int BeginRoot = 0, ContinueRoot = 1;

    /// <summary>Most characters (code points) of a word; longer ones are unknown as a whole.</summary>
    internal int MaxCharacters { get; }

    private readonly int unknown;
    private readonly long[] keys;   // (node << 16 | char) + 1; 0 is an empty slot
    private readonly int[] children;
    private readonly int mask;
    private readonly List<int> idOf = [-1, -1]; // by node

    internal WordPieces(IReadOnlyDictionary<string, int> vocabulary, string continuingPrefix, int unknown, int maxCharacters)
    {
        this.unknown = unknown;
        MaxCharacters = maxCharacters;
        int characters = 0;
        foreach (string piece in vocabulary.Keys) characters += 2 * piece.Length;
        int size = 16;
        while (size < 2 * characters) size *= 2;
        (keys, children, mask) = (new long[size], new int[size], size - 1);
        foreach ((string piece, int id) in vocabulary)
        {
            if (piece.Length == 0) continue;
            Add(BeginRoot, piece, id);
            if (piece.Length > continuingPrefix.Length && piece.StartsWith(continuingPrefix, StringComparison.Ordinal)) Add(ContinueRoot, piece.AsSpan(continuingPrefix.Length), id);
        }
    }

    /// <summary>Appends the ids of a word: the longest piece each time, or one unknown id where the pieces don't cover it.</summary>
    internal void Append(ReadOnlySpan<char> word, List<int> ids)
    {
        int before = ids.Count;
        int start = 0;
        while (start < word.Length)
        {
            int node = start == 0 ? BeginRoot : ContinueRoot;
            int id = -1, end = start;
            for (int i = start; i < word.Length; i++)
            {
                node = Child(node, word[i]);
                if (node < 0) break;
                if (idOf[node] >= 0) (id, end) = (idOf[node], i + 1);
            }
            if (id < 0)
            {
                ids.RemoveRange(before, ids.Count - before);
                ids.Add(unknown);
                return;
            }
            ids.Add(id);
            start = end;
        }
    }

    internal void AppendUnknown(List<int> ids) => ids.Add(unknown);

    private void Add(int node, ReadOnlySpan<char> text, int id)
    {
        foreach (char c in text)
        {
            int child = Child(node, c);
            if (child < 0)
            {
                child = idOf.Count;
                idOf.Add(-1);
                int slot = Slot(node, c);
                while (keys[slot] != 0) slot = slot + 1 & mask;
                (keys[slot], children[slot]) = (Key(node, c), child);
            }
            node = child;
        }
        idOf[node] = id;
    }

    private int Child(int node, char c)
    {
        long key = Key(node, c);
        for (int slot = Slot(node, c); ; slot = slot + 1 & mask)
        {
            if (keys[slot] == key) return children[slot];
            if (keys[slot] == 0) return -1;
        }
    }

    private static long Key(int node, char c) => ((long)node << 16 | c) + 1;

    private int Slot(int node, char c) => (int)((ulong)Key(node, c) * 0x9E3779B97F4A7C15UL >> 32) & mask;
}
