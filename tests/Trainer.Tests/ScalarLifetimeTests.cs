using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Temporary numbers may be finalised while native code reads them (docs/decisions/0002-scalars-are-kept-alive.md): the assemblies that use tensors make none.</summary>
public class ScalarLifetimeTests
{
    [Theory]
    [InlineData(typeof(SentenceEncoder))]
    [InlineData(typeof(TrainingPolicy))]
    public void No_number_becomes_a_scalar_that_nobody_holds(Type type) =>
        Assert.DoesNotContain(References(type), name => name is "Scalar.op_Implicit" or "Tensor.item");

    [Fact]
    public void The_reader_of_assemblies_sees_such_references() =>
        Assert.Contains("Scalar.op_Implicit", References(typeof(ScalarLifetimeTests)));

    /// <summary>For the test above: what must not be written elsewhere.</summary>
    private static TorchSharp.Scalar Temporary(float number) => number;

    private static List<string> References(Type type)
    {
        using var file = new PEReader(File.OpenRead(type.Assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        return [.. metadata.MemberReferences.Select(metadata.GetMemberReference).Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => $"{metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name)}.{metadata.GetString(member.Name)}")];
    }
}
