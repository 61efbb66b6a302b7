using System.Security.Cryptography;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;

namespace Fleet.Device.Updates;

/// <summary>What files of the next version were in the installed one, for deltas to build on: at the same path, or else of the same name.</summary>
/// <param name="folder">The installed version's; there may be none.</param>
internal sealed class InstalledBases(string folder, int maxFile)
{
    /// <summary>Each is hashed: a package of a thousand files of one name is not looked through.</summary>
    private const int MostLooked = 20;

    // A link may lead anywhere, and a program may have put it there.
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device };

    private readonly Dictionary<string, BlobHash?> _hashed = [];
    private ILookup<string, string>? _byName;

    /// <param name="path">Of the file in the package.</param>
    public IOlderFiles Of(string path) => new Base(this, path);

    private string? Find(string path, BlobHash hash)
    {
        _byName ??= (Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", Below) : []).Order(StringComparer.Ordinal).ToLookup(f => Path.GetFileName(f));
        var same = Path.Combine(folder, path);
        return _byName[DeltaChoice.NameOf(path)].OrderBy(f => f != same).Take(MostLooked).FirstOrDefault(f => HashOf(f) == hash);
    }

    private BlobHash? HashOf(string file)
    {
        if (_hashed.TryGetValue(file, out var known))
            return known;
        using var content = File.OpenRead(file);
        return _hashed[file] = content.Length > maxFile ? null : BlobHash.Of(SHA256.HashData(content));
    }

    private sealed class Base(InstalledBases bases, string path) : IOlderFiles
    {
        public bool Has(BlobHash hash) => bases.Find(path, hash) is not null;

        public byte[]? Read(BlobHash hash, int maxBytes)
        {
            if (bases.Find(path, hash) is not { } found)
                return null;
            using var file = File.OpenRead(found);
            if (file.Length > maxBytes)
                return null;
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
    }
}
