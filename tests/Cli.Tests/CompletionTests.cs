namespace Fleet.Cli.Tests;

public sealed class CompletionTests : IDisposable
{
    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Theory]
    [InlineData("bash", "complete -o default -F _fleet fleet")]
    [InlineData("zsh", "compdef _fleet fleet")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Each_shell_has_its_script(string shell, string part) =>
        Assert.Contains(part, (await _terminal.Run("completion", shell)).Done().Out, StringComparison.Ordinal);

    [Fact]
    public async Task What_may_follow_is_suggested_as_the_scripts_ask_for_it()
    {
        var commands = await _terminal.Run("[suggest:9]", "fleet off");
        var subcommands = await _terminal.Run("[suggest:13]", "fleet office ");

        Assert.Contains("office", commands.Out.Split('\n').Select(l => l.Trim()));
        Assert.Contains("add", subcommands.Out.Split('\n').Select(l => l.Trim()));
    }
}
