using System.CommandLine;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Rollouts;

/// <summary>Which devices, as people write it: <c>office=leeds,york label=ring=canary device=d-1</c>; <c>:</c> does for the first <c>=</c>.</summary>
internal static class SelectorText
{
    public const string Form = "office=A,B label=KEY=VALUE device=ID";

    /// <summary>The word that picks every device.</summary>
    private const string All = "all";

    /// <summary>What the text picks, or what is wrong with it.</summary>
    public static DeviceSelector? Read(IEnumerable<string> texts, out string problem)
    {
        var (offices, devices, labels) = (new List<string>(), new List<string>(), new Dictionary<string, string>());
        problem = "";
        foreach (var word in texts.SelectMany(t => t.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w != All))
        {
            var between = word.AsSpan().IndexOfAny('=', ':');
            var value = word[(between + 1)..];
            switch (between > 0 && value.Length > 0 ? word[..between] : "")
            {
                case "office":
                    offices.AddRange(value.Split(',', StringSplitOptions.RemoveEmptyEntries));
                    break;
                case "device":
                    devices.AddRange(value.Split(',', StringSplitOptions.RemoveEmptyEntries));
                    break;
                case "label" when Devices.LabelText.Read(value) is { Value: { } wanted } label:
                    labels[label.Key] = wanted;
                    break;
                default:
                    problem = $"'{word}' picks no devices; write {Form}, or {All}";
                    return null;
            }
        }

        return new DeviceSelector(offices.Count > 0 ? offices : null, labels.Count > 0 ? labels : null, devices.Count > 0 ? devices : null);
    }

    public static Option<string[]> For(string description)
    {
        var option = new Option<string[]>("--for") { Description = $"{description}: '{Form}', or '{All}'.", HelpName = "SELECTOR", AllowMultipleArgumentsPerToken = true };
        option.Validators.Add(given =>
        {
            if (Read(given.Tokens.Select(t => t.Value), out var problem) is null)
                given.AddError(problem);
        });
        return option;
    }

    /// <summary>A selector as people write it.</summary>
    public static string Of(DeviceSelector selector)
    {
        string[] words =
        [
            selector.Offices is { Count: > 0 } offices ? $"office={string.Join(',', offices)}" : "",
            .. (selector.Labels ?? new Dictionary<string, string>()).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"label={l.Key}={l.Value}"),
            selector.Devices is { Count: > 0 } devices ? $"device={string.Join(',', devices)}" : "",
        ];
        return string.Join(' ', words.Where(w => w.Length > 0)) is { Length: > 0 } text ? text : All;
    }
}
