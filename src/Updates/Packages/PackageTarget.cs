using Fleet.Contracts;

namespace Fleet.Updates.Packages;

/// <summary>
/// Where a repository lists a version of a package: at the target <c>packages/NAME/VERSION.json</c>, whose content is the manifest, and at
/// <c>packages/NAME/VERSION.deltas.json</c>, where there are deltas to it.
/// </summary>
public static class PackageTarget
{
    private const string Folder = "packages";
    private const string Extension = ".json";
    private const string Deltas = ".deltas";
    private const int MaxVersionLength = 64;

    public static string PathOf(string name, string version) => $"{Folder}/{name}/{version}{Extension}";

    public static string DeltasOf(string name, string version) => PathOf(name, version + Deltas);

    /// <summary>Name and version of the package at a target's path; null: there is another kind of file.</summary>
    public static (string Name, string Version)? Parse(string path) =>
        path.Split('/') is [Folder, var name, var file] && file.EndsWith(Extension, StringComparison.Ordinal) && file[..^Extension.Length] is var version && Problem(name, version) is null
            ? (name, version)
            : null;

    /// <summary>Name and version of the package that the deltas at a target's path are of; null: there is another kind of file.</summary>
    public static (string Name, string Version)? ParseDeltas(string path) =>
        path.EndsWith(Deltas + Extension, StringComparison.Ordinal) ? Parse(path[..^(Deltas.Length + Extension.Length)] + Extension) : null;

    /// <summary>Says what is wrong with a package's name or version, or null if nothing is.</summary>
    public static string? Problem(string name, string version)
    {
        if (IdText.Problem(name) is { } problem)
            return $"the package's name: {problem}";
        if (version.Length is 0 or > MaxVersionLength || !char.IsAsciiLetterOrDigit(version[0]) || version.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '+' or '~' or '_')))
            return $"a version has 1 to {MaxVersionLength} letters, digits, '.', '-', '+', '~' and '_', and begins with a letter or digit";
        if (version.EndsWith(Deltas, StringComparison.OrdinalIgnoreCase))
            return $"a version may not end in '{Deltas}': that is how deltas are listed";
        return PackagePath.Problem(version + Extension);
    }
}
