using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;

namespace Fleet.Cli;

/// <summary>Makes commands that talk to headquarters, and holds the options that all of them share.</summary>
internal sealed class FleetCommands(Terminal terminal)
{
    private readonly Option<bool> _json = new("--json") { Description = "For programs: JSON whose names are stable (docs/cli.md).", Recursive = true };
    private readonly Option<string?> _url = new("--url") { Description = "Headquarters' address, https://HOST:8443. Default: FLEET_URL, or what 'fleet login' kept.", HelpName = "URL", Recursive = true };
    private readonly Option<string?> _token = new("--token") { Description = "The administrator token, or @FILE. Default: FLEET_TOKEN, or what 'fleet login' kept.", HelpName = "TOKEN", Recursive = true };

    public Terminal Terminal => terminal;

    public void AddGlobals(RootCommand root)
    {
        root.Options.Add(_json);
        root.Options.Add(_url);
        root.Options.Add(_token);
    }

    /// <summary>A command that asks or tells headquarters something.</summary>
    /// <param name="examples">A line an example.</param>
    public Command Remote(string name, string description, string examples, Func<RemoteCall, Task> run, params Symbol[] symbols) =>
        Local(name, description, examples, async (parsed, cancellation) =>
        {
            using var client = new FleetClient(ConnectionSettings.Resolve(parsed.GetValue(_url), parsed.GetValue(_token), terminal), terminal.Clock);
            await run(new RemoteCall(parsed, client, Show(parsed), terminal, cancellation)).ConfigureAwait(false);
        }, symbols);

    /// <summary>A command that needs no headquarters, or finds it itself.</summary>
    public Command Local(string name, string description, string examples, Func<ParseResult, CancellationToken, Task> run, params Symbol[] symbols)
    {
        var command = new ExampleCommand(name, description, examples);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Arguments.Add(argument);
            else
                command.Options.Add((Option)symbol);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                await run(parsed, cancellation).ConfigureAwait(false);
                return ExitCode.Done;
            }
            catch (CommandFailure failure)
            {
                await terminal.Error.WriteLineAsync(failure.Message).ConfigureAwait(false);
                return failure.Code;
            }
        });
        return command;
    }

    /// <summary>What the shared options say.</summary>
    public (string? Url, string? Token) Connection(ParseResult parsed) => (parsed.GetValue(_url), parsed.GetValue(_token));

    public Display Show(ParseResult parsed) => new(terminal, parsed.GetValue(_json));
}

/// <summary>One run of a command that talks to headquarters.</summary>
internal sealed record RemoteCall(ParseResult Parsed, FleetClient Client, Display Display, Terminal Terminal, CancellationToken Cancellation)
{
    public T Value<T>(Argument<T> argument) => Parsed.GetRequiredValue(argument);

    public T? Value<T>(Option<T> option) => Parsed.GetValue(option);
}
