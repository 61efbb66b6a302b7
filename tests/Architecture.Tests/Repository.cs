namespace Fleet.Architecture.Tests;

/// <summary>Finds the checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories).Where(f => !IsBuildOutput(f)).Order(StringComparer.Ordinal);

    private static bool IsBuildOutput(string file) => file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin");

    private static string Find(string from) =>
        File.Exists(Path.Combine(from, "Fleet.sln")) ? from
        : Find(Directory.GetParent(from)?.FullName ?? throw new DirectoryNotFoundException("Fleet.sln was not found above the tests"));
}
