using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Fleet.Updates.Content;

namespace Fleet.Updates.Apt;

/// <summary>
/// Which content a list of packages (or of sources) names under which path. A list has up to a hundred thousand, so it is kept in 56 bytes each: paths
/// by a hash of them, in order.
/// </summary>
internal sealed class PackageTable
{
    private const int MaxPackages = 1_000_000;

    private static readonly HashSet<string> Fields = new(StringComparer.OrdinalIgnoreCase) { "Filename", "Size", "SHA256", "Directory", "Checksums-Sha256" };

    private readonly UInt128[] _paths;
    private readonly Entry[] _entries;

    private PackageTable(UInt128[] paths, Entry[] entries) => (_paths, _entries) = (paths, entries);

    public int Count => _paths.Length;

    /// <exception cref="AptException">It is no such list.</exception>
    public static PackageTable Read(Stream list, string subject)
    {
        var (paths, entries) = (new List<UInt128>(), new List<Entry>());
        foreach (var stanza in Stanzas.Read(list, subject, Fields))
            foreach (var (path, hash, length) in FilesOf(stanza))
            {
                if (AptPath.Checked(path) is not { } safe || BlobHash.Parse(hash.ToLowerInvariant()) is not { } blob || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
                    throw new AptException(AptFault.Malformed, subject, $"it lists '{path}' with the length '{length}' and the hash '{hash}'");
                if (paths.Count == MaxPackages)
                    throw new AptException(AptFault.Malformed, subject, $"it lists more than {MaxPackages} packages");
                paths.Add(KeyOf(safe));
                entries.Add(Entry.Of(blob, bytes));
            }

        var (keys, values) = (paths.ToArray(), entries.ToArray());
        Array.Sort(keys, values);
        return new PackageTable(keys, values);
    }

    /// <summary>Null: the list does not name it.</summary>
    public ListedFile? Find(string path)
    {
        var at = Array.BinarySearch(_paths, KeyOf(path));
        return at >= 0 ? _entries[at].ToFile() : null;
    }

    private static IEnumerable<(string Path, string Hash, string Length)> FilesOf(IReadOnlyDictionary<string, string> stanza)
    {
        // Without a SHA-256 nothing could be verified, so nothing is passed on.
        if (stanza.TryGetValue("Filename", out var name) && stanza.TryGetValue("SHA256", out var hash))
            yield return (name, hash, stanza.GetValueOrDefault("Size", ""));
        if (stanza.TryGetValue("Directory", out var directory) && stanza.TryGetValue("Checksums-Sha256", out var sums))
            foreach (var row in sums.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                if (row.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var sum, var size, var file])
                    yield return ($"{directory}/{file}", sum, size);
    }

    private static UInt128 KeyOf(string path) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(path)));

    private readonly record struct Entry(UInt128 High, UInt128 Low, long Length)
    {
        public static Entry Of(BlobHash hash, long length)
        {
            var bytes = Convert.FromHexString(hash.Value);
            return new Entry(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes.AsSpan(16)), length);
        }

        public ListedFile ToFile()
        {
            Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
            BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Low);
            return new ListedFile(BlobHash.Of(bytes), Length);
        }
    }
}
