using System.Text;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Every write in a file, in the order in which they were applied: what was acknowledged is there again after the process was killed.</summary>
internal sealed class Journal : IDisposable
{
    private readonly FileStream file;
    private readonly Lock gate = new();

    /// <summary>Does again what the file holds; a write that was cut off at its end was never acknowledged.</summary>
    public Journal(string path, IReadOnlyList<Rpc> methods)
    {
        file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        long whole = 0;
        using (var reader = new BinaryReader(file, Encoding.UTF8, leaveOpen: true))
        {
            try
            {
                while (file.Position < file.Length)
                {
                    string method = reader.ReadString();
                    int length = reader.ReadInt32();
                    byte[] request = reader.ReadBytes(length);
                    if (request.Length < length) break;
                    methods.Single(rpc => rpc.Method.FullName == method).Answer(request, new Caller(MayWrite: true, LoseWrites: false, WaitTimesOut: false));
                    whole = file.Position;
                }
            }
            catch (EndOfStreamException)
            {
            }
        }
        file.SetLength(whole);
        file.Position = whole;
    }

    public byte[] Write(Rpc rpc, byte[] request, Caller caller)
    {
        lock (gate)
        {
            byte[] answer = rpc.Answer(request, caller);
            using var entry = new MemoryStream();
            using (var writer = new BinaryWriter(entry, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write(rpc.Method.FullName);
                writer.Write(request.Length);
                writer.Write(request);
            }
            file.Write(entry.GetBuffer().AsSpan(0, (int)entry.Length));
            file.Flush();
            return answer;
        }
    }

    public void Dispose() => file.Dispose();
}
