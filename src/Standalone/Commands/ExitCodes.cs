namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>What the program's exit code means, the same for every command.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int NotDone = 1;
    /// <summary>The command did what it was asked for, and the answer is no.</summary>
    public const int AnswerIsNo = 2;
    public const int Defect = 70;
    public const int Stopped = 130;

    public static readonly IReadOnlyList<(int Code, string Meaning)> All =
    [
        (Done, "done; serve: stopped by Ctrl+C"),
        (NotDone, "not done: the command line is wrong, something was refused or has failed, or doctor has found a problem; a sentence on standard error says why"),
        (AnswerIsNo, "done, and the answer is no: train published no model, or something of the user is left (users erase, users verify-erased)"),
        (Defect, "a defect of the program; the whole exception is on standard error"),
        (Stopped, "stopped by Ctrl+C or SIGTERM; files are whole, and the data folder can be used again at once"),
    ];
}
