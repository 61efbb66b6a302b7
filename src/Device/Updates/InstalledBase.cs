using System.Security.Cryptography;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;

namespace Fleet.Device.Updates;

/// <summary>What a file of the next version was in the installed one, for a delta to build on: at the same path, or else of the same name.</summary>
/// <param name="folder">The installed version's; there may be none.</param>
/// <param name="path">Of the file in the package.</param>
internal sealed class InstalledBase(string folder, string path, int maxFile) : IOlderFiles
{
    /// <summary>Each is hashed: a package of a thousand files of one name is not looked through.</summary>
    private const int MostLooked = 20;

    // A link may lead anywhere, and a program may have put it there.
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device, MatchCasing = MatchCasing.CaseSensitive };

    private readonly Dictionary<string, BlobHash> _hashed = [];

    public bool Has(BlobHash hash) => Find(hash) is not null;

    public byte[]? Read(BlobHash hash, int maxBytes)
    {
        if (Find(hash) is not { } found)
            return null;
        using var file = File.OpenRead(found);
        if (file.Length > maxBytes)
            return null;
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private string? Find(BlobHash hash)
    {
        if (!Directory.Exists(folder))
            return null;
        var same = Path.Combine(folder, path);
        return Directory.EnumerateFiles(folder, DeltaChoice.NameOf(path), Below).Order(StringComparer.Ordinal).OrderBy(f => f != same).Take(MostLooked).FirstOrDefault(f => HashOf(f) == hash);
    }

    private BlobHash? HashOf(string file)
    {
        if (_hashed.TryGetValue(file, out var known))
            return known;
        using var content = File.OpenRead(file);
        return content.Length > maxFile ? null : _hashed[file] = BlobHash.Of(SHA256.HashData(content));
    }
}
