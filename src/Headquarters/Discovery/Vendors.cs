using System.Collections.Frozen;
using System.IO.Compression;

namespace Fleet.Headquarters.Discovery;

/// <summary>
/// Who made a network card, by its MAC. The list lies inside the program: IEEE's public registries MA-L, MA-M and MA-S, as Debian's <c>ieee-data</c>
/// carries them, a line each of the assigned prefix in hexadecimal, a tab and the name.
/// </summary>
internal static class Vendors
{
    private static readonly FrozenDictionary<string, string> Known = Load();

    /// <summary>Empty where nobody knows, which is so for every address that a machine made up itself.</summary>
    public static string Of(string mac)
    {
        var digits = mac.Replace(":", "", StringComparison.Ordinal);
        // The longer the prefix, the narrower the assignment.
        foreach (var length in (ReadOnlySpan<int>)[9, 7, 6])
            if (digits.Length > length && Known.TryGetValue(digits[..length], out var name))
                return name;
        return "";
    }

    private static FrozenDictionary<string, string> Load()
    {
        using var packed = typeof(Vendors).Assembly.GetManifestResourceStream("vendors.tsv.gz") ?? throw new InvalidOperationException("the program was built without vendors.tsv.gz");
        using var lines = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        var known = new Dictionary<string, string>();
        while (lines.ReadLine() is { } line)
            known[line[..line.IndexOf('\t', StringComparison.Ordinal)]] = line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..];
        return known.ToFrozenDictionary();
    }
}
