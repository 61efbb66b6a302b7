using System.CommandLine;

namespace Fleet.Cli.Tests;

public sealed class HelpTests : IDisposable
{
    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task Every_command_says_how_it_is_used()
    {
        foreach (var path in Paths([], FleetCli.Root(new FleetCommands(_terminal.Terminal()))))
        {
            var help = (await _terminal.Run([.. path, "--help"])).Done().Out;

            Assert.Contains("Examples:", help, StringComparison.Ordinal);
            Assert.Contains($"  fleet {string.Join(' ', path)}".TrimEnd(), help[help.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("office show", "fleet office show --help")]
    [InlineData("ofice list", "fleet --help")]
    [InlineData("token create --office leeds --kind robot", "fleet token create --help")]
    [InlineData("device sync till-4 --timeout soon", "fleet device sync --help")]
    public async Task Wrong_usage_leaves_standard_output_alone_and_names_the_help(string line, string help)
    {
        var ran = await _terminal.Run(line.Split(' '));

        Assert.Equal(ExitCode.Usage, ran.Code);
        Assert.Contains($"see '{help}'", ran.Error, StringComparison.Ordinal);
        Assert.Empty(ran.Out);
    }

    private static IEnumerable<string[]> Paths(string[] path, Command command) =>
        command.Subcommands.SelectMany(c => Paths([.. path, c.Name], c)).Prepend(path);
}
