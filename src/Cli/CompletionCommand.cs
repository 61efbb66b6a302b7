using System.CommandLine;

namespace Fleet.Cli;

/// <summary><c>fleet completion</c>: prints a shell's completion script. The script asks <c>fleet</c> itself what may follow.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # Add to ~/.bashrc: eval "$(fleet completion bash)"
        _fleet() {
          local word="${COMP_WORDS[COMP_CWORD]}" found
          COMPREPLY=()
          while IFS= read -r found; do
            # Options only where one was begun, or subcommands drown in them.
            [[ "$found" == "$word"* && ( "$found" != -* || "$word" == -* ) ]] && COMPREPLY+=("$found")
          done < <(fleet "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
        }
        complete -o default -F _fleet fleet
        """;

    private const string Zsh = """
        # Add to ~/.zshrc, behind compinit: eval "$(fleet completion zsh)"
        _fleet() {
          local -a found
          found=("${(@f)$(fleet "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          [[ "$PREFIX" == -* ]] || found=("${(@)found:#-*}")
          compadd -a found
        }
        compdef _fleet fleet
        """;

    private const string PowerShell = """
        # Add to $PROFILE: fleet completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName fleet -ScriptBlock {
          param($word, $ast, $cursor)
          fleet "[suggest:$cursor]" "$ast" | Where-Object { $_ -like "$word*" -and ($_ -notlike '-*' -or $word -like '-*') } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }
        """;

    public static Command Make(FleetCommands commands)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "pwsh");
        return commands.Local("completion", "Prints the completion script of a shell.", """
            eval "$(fleet completion bash)"
            fleet completion pwsh | Out-String | Invoke-Expression
            """,
            (parsed, _) => commands.Terminal.Out.WriteLineAsync(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => PowerShell }),
            shell);
    }
}
