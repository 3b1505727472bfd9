using System.CommandLine;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>completion</c>: the scripts ask the program itself (<c>[suggest]</c>), so they know every command and option that it has; where it has no answer the shell completes files.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # beeformer completion bash
        _beeformer() {
            local words
            words=$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
            mapfile -t COMPREPLY < <(compgen -W "${words}" -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -o default -F _beeformer beeformer
        """;

    private const string Zsh = """
        #compdef beeformer
        # beeformer completion zsh
        _beeformer() {
            local -a words_found
            words_found=(${(f)"$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)"})
            if (( ${#words_found} )); then compadd -a words_found; else _files; fi
        }
        if [ "${funcstack[1]}" = "_beeformer" ]; then _beeformer "$@"; else compdef _beeformer beeformer; fi
        """;

    private const string Fish = """
        # beeformer completion fish
        function __beeformer_complete
            set -l line (commandline -cp)
            set -l found (beeformer "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | string match -v '')
            if test (count $found) -gt 0
                printf '%s\n' $found
            else
                __fish_complete_path (commandline -ct)
            end
        end
        complete -c beeformer -f -a '(__beeformer_complete)'
        """;

    public static Command Create(IAnsiConsole console)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print the script that lets a shell complete commands and options.") { shell };
        command.SetAction(parsed => console.Profile.Out.Writer.Write(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish } + "\n"));
        return command;
    }
}
