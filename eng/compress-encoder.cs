#:project ../src/Encoder/Encoder.csproj
#:property PublishAot=false
// Makes the small encoder under models/: dotnet run eng/compress-encoder.cs SOURCE TARGET
using BeeFormer.Streaming.Encoder;

if (args.Length != 2)
{
    Console.Error.WriteLine("expected two folders: the float32 encoder, and where the compressed one goes");
    return 1;
}
EncoderCompression.Compress(args[0], args[1]);
return 0;
