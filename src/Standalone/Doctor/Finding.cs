namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>What one look has shown.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Result"><c>ok</c>, <c>warning</c> (it will work, but see the advice) or <c>problem</c> (it will not).</param>
/// <param name="Advice">What to do; null: nothing.</param>
internal sealed record Finding(string Check, string Result, string Found, string? Advice)
{
    public static Finding Ok(string check, string found) => new(check, "ok", found, null);
    public static Finding Warning(string check, string found, string advice) => new(check, "warning", found, advice);
    public static Finding Problem(string check, string found, string advice) => new(check, "problem", found, advice);
}

/// <param name="Result">The worst of the findings.</param>
internal sealed record DoctorReport(string Result, IReadOnlyList<Finding> Findings)
{
    public static DoctorReport Of(IReadOnlyList<Finding> findings)
    {
        bool Any(string result) => findings.Any(finding => finding.Result == result);
        return new DoctorReport(Any("problem") ? "problem" : Any("warning") ? "warning" : "ok", findings);
    }
}
