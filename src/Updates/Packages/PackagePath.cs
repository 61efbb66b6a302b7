namespace Fleet.Updates.Packages;

/// <summary>
/// Paths inside a package, which may come from a stranger and must mean the same file on every system: below the package's folder, never above it, and
/// never a name that Windows gives another meaning.
/// </summary>
public static class PackagePath
{
    private const int MaxLength = 240;
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase) { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" };

    /// <summary>Says what is wrong with a path, or null if nothing is.</summary>
    public static string? Problem(string path)
    {
        if (path.Length is 0 or > MaxLength)
            return $"a path has 1 to {MaxLength} characters, not {path.Length}";
        // Look-alikes and combining marks are one file here and two there: paths are plain.
        if (path.Any(c => c is < ' ' or > '~' or '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|'))
            return $"'{Shown(path)}' has characters that a path may not have (printable ASCII without \\ : * ? \" < > |)";
        foreach (var segment in path.Split('/'))
        {
            if (segment is "" or "." or "..")
                return $"'{path}' leads elsewhere: it has an empty segment, '.' or '..'";
            if (segment[^1] is '.' or ' ' || segment[0] == ' ')
                return $"'{path}' has a segment with a blank at an end or a dot behind";
            var stem = segment.Split('.')[0].TrimEnd(' ');
            if (Reserved.Contains(stem) || (stem.Length == 4 && stem[3] is >= '0' and <= '9' && (stem.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("LPT", StringComparison.OrdinalIgnoreCase))))
                return $"'{path}' has a segment that names a device on Windows";
        }

        return null;
    }

    private static string Shown(string path) => new([.. path.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}
