using System.IO.Enumeration;

namespace Fleet.Updates.Packages;

/// <summary>Patterns that pick packages by their names: <c>*</c> for any characters, <c>?</c> for one.</summary>
public static class PackagePattern
{
    private const int MaxLength = 63;

    /// <summary>Says what is wrong with a pattern, or null if nothing is.</summary>
    public static string? Problem(string pattern) =>
        pattern.Length is 0 or > MaxLength || !pattern.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '*' or '?')
            ? $"'{pattern}' picks no package: a pattern is a package's name (lower-case letters, digits and '-', at most {MaxLength}), with * and ? for what may be anything, such as 'acme-*'"
            : null;

    public static bool Matches(string pattern, string package) => FileSystemName.MatchesSimpleExpression(pattern, package, ignoreCase: false);

    public static bool Any(IEnumerable<string> patterns, string package) => patterns.Any(p => Matches(p, package));
}
