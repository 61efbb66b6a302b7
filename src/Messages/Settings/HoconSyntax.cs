namespace Fleet.Messages.Settings;

/// <summary>
/// Finds what Akka's parser takes without a word: brackets that don't pair and texts that don't end. With those, half a file would silently count
/// for something else.
/// </summary>
internal static class HoconSyntax
{
    private const string Triple = "\"\"\"";

    /// <summary>Says what is wrong and in which line, or null if nothing is.</summary>
    public static string? Problem(string text)
    {
        var open = new Stack<(char Bracket, int Line)>();
        var line = 1;
        for (var at = 0; at < text.Length; at++)
        {
            switch (text[at])
            {
                case '\n':
                    line++;
                    break;
                case '#' or '/' when IsComment(text, at):
                    at = EndOfLine(text, at) - 1;
                    break;
                case '"':
                    if (EndOfText(text, at) is not { } end)
                        return $"line {line}: a text begins with \" and does not end";
                    line += text.AsSpan(at..end).Count('\n');
                    at = end - 1;
                    break;
                case '{' or '[':
                    open.Push((text[at], line));
                    break;
                case '}' or ']':
                    if (!open.TryPop(out var opened) || opened.Bracket != (text[at] == '}' ? '{' : '['))
                        return $"line {line}: '{text[at]}' closes nothing";
                    break;
            }
        }

        return open.TryPop(out var left) ? $"line {left.Line}: '{left.Bracket}' is not closed" : null;
    }

    public static bool IsComment(string text, int at) =>
        text[at] == '#' || (text.AsSpan(at).StartsWith("//") && (at == 0 || char.IsWhiteSpace(text[at - 1])));

    public static int EndOfLine(string text, int at) => text.IndexOf('\n', at) is >= 0 and var end ? end : text.Length;

    /// <summary>Behind the closing quote of the text that begins here; null where it does not end.</summary>
    public static int? EndOfText(string text, int at)
    {
        if (text.AsSpan(at).StartsWith(Triple))
            return text.IndexOf(Triple, at + Triple.Length, StringComparison.Ordinal) is >= 0 and var end ? end + Triple.Length : null;
        for (var i = at + 1; i < text.Length && text[i] != '\n'; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                return i + 1;
        }

        return null;
    }
}
