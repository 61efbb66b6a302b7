using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Fleet.Cli;

/// <summary>A command and how it is used; lists of commands show the description alone.</summary>
internal sealed class ExampleCommand(string name, string description, string examples) : Command(name, description)
{
    public string Examples => examples;
}

/// <summary>The usual help, and behind it the examples: a command's own, or those of all in a group.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => help.ClearsParseErrors;

    public static void AddTo(RootCommand root)
    {
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        // Without the default's /? and /h, which completion would suggest everywhere.
        var option = new HelpOption("--help", "-h");
        root.Options.Add(option);
        option.Action = new HelpWithExamples((HelpAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = help.Invoke(parseResult);
        var command = parseResult.CommandResult.Command;
        var examples = (command is RootCommand ? [] : command.Subcommands.Prepend(command)).OfType<ExampleCommand>().ToList();
        if (examples.Count == 0)
            return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var line in examples.SelectMany(e => e.Examples.Split('\n')))
            output.WriteLine($"  {line}");
        output.WriteLine();
        return code;
    }
}
