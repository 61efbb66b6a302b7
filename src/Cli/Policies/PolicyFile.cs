using Fleet.Contracts.Api;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Fleet.Cli.Policies;

/// <summary>
/// A policy as a YAML file (JSON, being YAML, reads as well): <c>name</c>, <c>offices</c>, <c>labels</c>, <c>priority</c>, <c>settings</c>. The shape
/// is in docs/cli.md. Unknown keys and odd shapes are refused with their line.
/// </summary>
internal static class PolicyFile
{
    /// <exception cref="CommandFailure">Unreadable or malformed.</exception>
    public static PolicyContent Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be read: {fault.Message}");
        }
        catch (YamlException fault)
        {
            throw CommandFailure.Usage($"{path}, line {fault.Start.Line}: {fault.InnerException?.Message ?? fault.Message}");
        }
    }

    /// <exception cref="YamlException">Malformed; the message says what, its start where.</exception>
    public static PolicyContent Parse(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        if (yaml.Documents is not [{ RootNode: YamlMappingNode root }])
            throw new YamlException("a policy file is one mapping with name and settings");
        var policy = new PolicyContent();
        foreach (var (key, value) in root.Children)
            policy = Text(key) switch
            {
                "name" => policy with { Name = Text(value) },
                "offices" => policy with { Offices = Texts(value) },
                "labels" => policy with { Labels = Pairs(value) },
                "priority" => policy with { Priority = Number(value) },
                "settings" => policy with { Settings = Pairs(value) },
                var other => throw At(key, $"'{other}' is no key of a policy; it has name, offices, labels, priority and settings"),
            };
        if (policy.Name is null)
            throw At(root, "the policy's name is missing");
        if (policy.Settings is not { Count: > 0 })
            throw At(root, "the policy has no settings");
        return policy;
    }

    private static string Text(YamlNode node) => node is YamlScalarNode { Value: { } text } ? text : throw At(node, "a plain text is wanted here");

    private static IReadOnlyList<string> Texts(YamlNode node) => node is YamlSequenceNode list ? [.. list.Children.Select(Text)] : throw At(node, "a list is wanted here, such as [leeds, york]");

    private static Dictionary<string, string> Pairs(YamlNode node) => node is YamlMappingNode pairs
        ? pairs.Children.ToDictionary(p => Text(p.Key), p => Text(p.Value))
        : throw At(node, "names and values are wanted here");

    private static int Number(YamlNode node) =>
        int.TryParse(Text(node), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : throw At(node, "a whole number is wanted here");

    private static YamlException At(YamlNode node, string what) => new(node.Start, node.End, what);
}
