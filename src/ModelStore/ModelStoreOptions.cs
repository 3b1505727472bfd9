using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Where models, records of trainings and the leases of works lie, section <c>Models</c>.</summary>
public sealed record ModelStoreOptions
{
    public const string Section = "Models";

    /// <summary>A folder (a path or <c>file:///…</c>; services on several machines share it), or <c>s3://bucket/prefix</c>. Default: the folder that the program keeps everything in.</summary>
    public string? Uri { get; set; }

    /// <summary>Absent: as <c>Storage:S3</c> says.</summary>
    public S3Options? S3 { get; set; }

    internal string? Problem() => S3Location.Problem(Uri, $"{Section}:Uri") ?? S3?.Problem($"{Section}:S3");

    /// <summary>The section <c>Models</c>, checked.</summary>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    internal static ModelStoreOptions Read(IConfiguration configuration) =>
        Read<ModelStoreOptions>(configuration, Section) is var options && options.Problem() is { } problem ? throw new InvalidDataException(problem) : options;

    /// <summary>How S3 is reached, and the section that says so.</summary>
    internal (S3Options Options, string Section) Reach(IConfiguration configuration)
    {
        if (S3 is not null) return (S3, $"{Section}:S3");
        const string windows = "Storage:S3";
        var shared = Read<S3Options>(configuration, windows);
        return shared.Problem(windows) is { } problem ? throw new InvalidDataException(problem) : (shared, windows);
    }

    private static T Read<T>(IConfiguration configuration, string section) where T : new()
    {
        try
        {
            return configuration.GetSection(section).Get<T>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new T();
        }
        catch (InvalidOperationException wrong) // an unknown key, or a value of another kind
        {
            throw new InvalidDataException($"Section {section}: {wrong.Message}", wrong);
        }
    }
}

internal sealed class ModelStoreOptionsCheck : IValidateOptions<ModelStoreOptions>
{
    public ValidateOptionsResult Validate(string? name, ModelStoreOptions options) => options.Problem() is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
}
