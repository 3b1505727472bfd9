using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using BeeFormer.Streaming.Encoder;
using TorchSharp;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Temporary numbers may be finalised while native code reads them (docs/decisions/0002-scalars-are-kept-alive.md): the assemblies that use tensors make none, nor do they call what makes them.</summary>
public class ScalarLifetimeTests
{
    private const int MethodDefinition = 0x06, MemberReference = 0x0A;

    [Theory]
    [InlineData(typeof(SentenceEncoder))]
    [InlineData(typeof(TrainingPolicy))]
    public void No_number_becomes_a_scalar_that_nobody_holds(Type type) =>
        Assert.DoesNotContain(References(type.Assembly), method => IsConversion(method) || method.Name == "item" && method.DeclaringType == typeof(torch.Tensor));

    /// <summary>TorchSharp's own <c>square()</c>, say, is <c>pow(2)</c> with such a temporary inside.</summary>
    [Theory]
    [InlineData(typeof(SentenceEncoder))]
    [InlineData(typeof(TrainingPolicy))]
    public void No_operation_is_called_that_makes_one_inside(Type type) =>
        Assert.Equal([], References(type.Assembly).Where(method => method.Module == typeof(torch).Module && MakesScalar(method, depth: 3)).Select(method => $"{method.DeclaringType!.Name}: {method}").Distinct().ToArray());

    [Fact]
    public void The_reader_of_assemblies_sees_such_references()
    {
        Assert.Contains(References(typeof(ScalarLifetimeTests).Assembly), IsConversion);
        Assert.True(MakesScalar(typeof(torch.Tensor).GetMethod("square", [])!, depth: 3));
        Assert.False(MakesScalar(typeof(torch.Tensor).GetMethod("mm", [typeof(torch.Tensor)])!, depth: 3));
    }

    /// <summary>For the test above: what must not be written elsewhere.</summary>
    private static Scalar Temporary(float number) => number;

    private static bool IsConversion(MethodBase method) => method.DeclaringType == typeof(Scalar) && method.Name == "op_Implicit";

    /// <summary>Every method of another assembly that this one names.</summary>
    private static IEnumerable<MethodBase> References(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        int count = file.GetMetadataReader().MemberReferences.Count;
        for (int row = 1; row <= count; row++)
            if (Resolve(assembly.ManifestModule, MemberReference << 24 | row) is { } method) yield return method;
    }

    /// <summary>Whether the method, or one of its assembly that it calls, converts a number. Reads the instructions' bytes: a call is 0x28 or 0x6F and a token.</summary>
    private static bool MakesScalar(MethodBase method, int depth)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int at = 0; at + 5 <= code.Length; at++)
        {
            int token = BitConverter.ToInt32(code, at + 1);
            if (code[at] is not (0x28 or 0x6F) || token >> 24 != MethodDefinition || Resolve(method.Module, token) is not { } called) continue;
            if (IsConversion(called) || depth > 0 && called != method && !called.IsConstructor && MakesScalar(called, depth - 1)) return true;
        }
        return false;
    }

    /// <returns>Null for what is no method, or one of a generic type.</returns>
    private static MethodBase? Resolve(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (Exception e) when (e is ArgumentException or MissingMethodException or BadImageFormatException)
        {
            return null;
        }
    }
}
