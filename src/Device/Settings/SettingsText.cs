namespace Fleet.Device.Settings;

/// <summary>
/// A strict reader of the part of HOCON that agents use: <c>key = value</c> (or <c>:</c>), dotted keys, nested braces, <c>#</c> and <c>//</c>
/// comments, quoted texts. No includes, lists, substitutions or concatenation: the agent is one small program without Akka's parser.
/// Mistakes are collected with their line, so that all can be mended in one go.
/// </summary>
public static class SettingsText
{
    /// <summary>Reads the text into full dotted keys; a later key wins.</summary>
    /// <param name="source">The file's name, for messages.</param>
    public static IReadOnlyDictionary<string, SettingsValue> Read(string text, string source, List<string> problems)
    {
        var values = new Dictionary<string, SettingsValue>();
        var blocks = new Stack<(string Path, int Line)>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = WithoutComment(raw).Trim().TrimEnd(',').TrimEnd();
            void Problem(string what) => problems.Add($"{source}, line {number}: {what}");

            if (line.Length == 0)
                continue;
            if (line == "}")
            {
                if (!blocks.TryPop(out _))
                    Problem("'}' closes nothing");
            }
            else if (line.EndsWith('{'))
            {
                var key = line[..^1].TrimEnd().TrimEnd('=', ':').TrimEnd();
                if (!IsKey(key))
                    Problem($"'{key}' is no key; write 'name {{' on a line of its own");
                blocks.Push((Joined(blocks, key), number));
            }
            else
            {
                ReadValue(line, blocks, new SettingsOrigin(source, number), values, Problem);
            }
        }

        foreach (var (path, line) in blocks)
            problems.Add($"{source}, line {line}: block '{path}' is not closed; add a '}}'");
        return values;
    }

    private static void ReadValue(
        string line, Stack<(string Path, int Line)> blocks, SettingsOrigin origin, Dictionary<string, SettingsValue> values, Action<string> problem)
    {
        var split = line.AsSpan().IndexOfAny('=', ':');
        var key = split < 0 ? "" : line[..split].Trim();
        if (split < 0 || !IsKey(key))
        {
            problem($"'{line}' can't be read; write 'key = value'");
            return;
        }

        var value = line[(split + 1)..].Trim();
        var path = Joined(blocks, key);
        if (value.StartsWith('"'))
        {
            if (value.Length < 2 || !value.EndsWith('"') || value[1..^1].Contains('"'))
                problem($"{path}: the quoted text is not closed, or something follows it");
            else
                values[path] = new SettingsValue(value[1..^1], origin);
        }
        else if (value.Length == 0)
        {
            problem($"{path}: a value is missing");
        }
        else if (value.AsSpan().IndexOfAny("{}[]$\"") >= 0)
        {
            problem($"{path}: '{value}' can't be read; the agent knows single values only, and texts with signs in quotes");
        }
        else
        {
            values[path] = new SettingsValue(value, origin);
        }
    }

    private static string Joined(Stack<(string Path, int Line)> blocks, string key) => blocks.TryPeek(out var outer) ? $"{outer.Path}.{key}" : key;

    private static bool IsKey(string key) =>
        key.Length > 0 && key.Split('.').All(part => part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));

    private static string WithoutComment(string line)
    {
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"')
                quoted = !quoted;
            else if (!quoted && (line[i] == '#' || (line[i] == '/' && i + 1 < line.Length && line[i + 1] == '/')))
                return line[..i];
        }

        return line;
    }
}

/// <summary>Where a setting was written.</summary>
public sealed record SettingsOrigin(string Source, int Line)
{
    public override string ToString() => $"{Source}, line {Line}";
}

/// <summary>A setting's text and where it was written.</summary>
public sealed record SettingsValue(string Text, SettingsOrigin Origin);
