namespace BeeFormer.Streaming.Encoder;
internal static class HeadFiles
{
    public static void Write(Head head, string folder) => throw new NotImplementedException();
    public static Head Read(string folder) => throw new NotImplementedException();
}
