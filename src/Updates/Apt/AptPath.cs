namespace Fleet.Updates.Apt;

/// <summary>Paths inside a repository: relative, with <c>/</c> between segments that lead nowhere else.</summary>
public static class AptPath
{
    private const int MaxLength = 1024;
    private const int MaxSegment = 255;

    /// <summary>The path without <c>./</c>, as flat repositories write it; null: it leads elsewhere, or is none.</summary>
    public static string? Checked(string text)
    {
        if (text.Length is 0 or > MaxLength)
            return null;
        var segments = text.Split('/').Where(s => s != ".").ToList();
        return segments.Count > 0 && segments.TrueForAll(IsSafe) ? string.Join('/', segments) : null;
    }

    /// <summary>With its slash; empty: the path has no directory.</summary>
    public static string DirectoryOf(string path) => path[..(path.LastIndexOf('/') + 1)];

    public static string FileOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>As part of an address.</summary>
    public static string Encoded(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static bool IsSafe(string segment) =>
        segment.Length is > 0 and <= MaxSegment && segment != ".." && !segment.Any(c => char.IsControl(c) || c == '\\');
}
