namespace Fleet.Messages.Settings;

/// <summary>
/// In which line each key of a HOCON text stands, which Akka's parser does not keep, and the lines that have no key or no value, which it takes for
/// part of the next key. The text's brackets and quotes pair (<see cref="HoconSyntax"/>).
/// </summary>
internal static class HoconLines
{
    /// <summary>Full dotted path → line, of the last one that sets it; and what is wrong with the first line that can't be read, or null.</summary>
    public static (IReadOnlyDictionary<string, int> Lines, string? Problem) Of(string text)
    {
        var lines = new Dictionary<string, int>();
        var blocks = new Stack<string>();
        var path = "";
        var key = "";
        var line = 1;
        var inValue = false;
        var depthOfLists = 0;
        string? problem = null;
        for (var at = 0; at < text.Length; at++)
        {
            var sign = text[at];
            if (sign == '"' && HoconSyntax.EndOfText(text, at) is { } end)
            {
                if (!inValue)
                    key += text[(at + 1)..(end - 1)];
                line += text.AsSpan(at..end).Count('\n');
                at = end - 1;
                continue;
            }

            if (HoconSyntax.IsComment(text, at))
            {
                at = HoconSyntax.EndOfLine(text, at) - 1;
                continue;
            }

            depthOfLists += sign switch { '[' => 1, ']' => -1, _ => 0 };
            switch (sign)
            {
                case '{' when depthOfLists == 0:
                    if (key.Trim() is { Length: > 0 } block)
                        lines[Joined(path, block)] = line;
                    blocks.Push(path);
                    path = Joined(path, key.Trim());
                    (key, inValue) = ("", false);
                    break;
                case '}' when depthOfLists == 0:
                    path = blocks.TryPop(out var outer) ? outer : "";
                    (key, inValue) = ("", false);
                    break;
                case '=' or ':' when !inValue:
                    if (key.Trim().Length == 0)
                        problem ??= $"line {line}: a value without a key; write 'key = value'";
                    lines[Joined(path, key.Trim())] = line;
                    inValue = true;
                    break;
                case '\n' or ',' when depthOfLists == 0:
                    if (!inValue && IsBare(key.Trim()) && !BlockFollows(text, at))
                        problem ??= $"line {line}: '{key.Trim()}' has no value; write 'key = value'";
                    if (!inValue || sign == ',' || !EndsOpen(text, at))
                        (key, inValue) = (BlockFollows(text, at) ? key : "", false);
                    break;
                default:
                    if (!inValue)
                        key += sign;
                    break;
            }

            if (sign == '\n')
                line++;
        }

        if (!inValue && IsBare(key.Trim()))
            problem ??= $"line {line}: '{key.Trim()}' has no value; write 'key = value'";
        return (lines, problem);
    }

    private static bool IsBare(string key) => key.Length > 0 && !key.StartsWith("include", StringComparison.Ordinal);

    // A block may begin in the line after its key.
    private static bool BlockFollows(string text, int at) => text.AsSpan(at).TrimStart(" \t\r\n") is ['{', ..];

    // "key =" with its value in a later line.
    private static bool EndsOpen(string text, int at) => text.AsSpan(0, at).TrimEnd(" \t\r") is [.., '=' or ':'];

    private static string Joined(string path, string key) => path.Length == 0 ? key : key.Length == 0 ? path : $"{path}.{key}";
}
