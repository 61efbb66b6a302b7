using System.CommandLine;

namespace Fleet.Cli.Devices;

/// <summary>A change of a label as people type it; no value: the label goes.</summary>
internal sealed record LabelText(string Key, string? Value)
{
    public static LabelText? Read(string text) => text.IndexOf('=', StringComparison.Ordinal) switch
    {
        > 0 and var equals => new LabelText(text[..equals], text[(equals + 1)..]),
        < 0 when text is [_, .., '-'] => new LabelText(text[..^1], null),
        _ => null,
    };

    /// <summary>An option that takes labels, or other pairs, with their values.</summary>
    public static Option<string[]> Pairs(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "KEY=VALUE" };
        option.Validators.Add(given =>
        {
            foreach (var text in given.Tokens.Select(t => t.Value).Where(t => Read(t)?.Value is null))
                given.AddError($"'{text}' is not KEY=VALUE");
        });
        return option;
    }

    /// <summary>What was given to such an option; of a key that is given twice the last counts.</summary>
    public static Dictionary<string, string> Read(string[]? pairs) => (pairs ?? []).Select(p => Read(p)!).GroupBy(l => l.Key).ToDictionary(l => l.Key, l => l.Last().Value!);
}
