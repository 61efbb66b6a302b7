using System.Text.Json;
using Fleet.Updates.Content;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Packages;

/// <summary>
/// What one version of a package is made of: files over content that is addressed by its hash, as the repository's signed targets name it. Written and
/// read as canonical JSON, so that one package has one manifest and one hash. Content is described unpacked: compression and deltas are ways to carry it.
/// </summary>
public sealed record PackageManifest(string Name, string Version, InstallKind Kind, IReadOnlyList<PackageFile> Files)
{
    /// <summary>A manifest has about 130 bytes a file.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    public const int MaxFiles = 50_000;

    private const int Format = 1;

    /// <summary>Bytes of all files.</summary>
    public long Length => Files.Sum(f => f.Length);

    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("files");
            foreach (var file in Files)
            {
                json.WriteStartObject();
                json.WriteNumber("length", file.Length);
                json.WriteNumber("mode", file.Mode);
                json.WriteString("path", file.Path);
                json.WriteString("sha256", file.Content.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("format", Format);
            json.WriteString("kind", Kind.Name());
            json.WriteString("name", Name);
            json.WriteString("version", Version);
            json.WriteEndObject();
        }

        return CanonicalJson.Of(StrictJson.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), MaxBytes));
    }

    /// <exception cref="FormatException">Not such a manifest; the message says why. Nothing in it leads outside the package's folder.</exception>
    public static PackageManifest Read(ReadOnlySpan<byte> bytes)
    {
        var json = StrictJson.Parse(bytes, MaxBytes);
        if (json.Whole("format", 1) is not Format and var format)
            throw new FormatException($"the manifest has format {format}; this version reads {Format}");
        var files = json.Field("files", JsonValueKind.Array).EnumerateArray().Select(File).ToList();
        var manifest = new PackageManifest(json.Text("name"), json.Text("version"), InstallKinds.Named(json.Text("kind")) ?? throw new FormatException($"'{json.Text("kind")}' is no kind of installation"), files);
        return manifest.Problem() is { } problem ? throw new FormatException(problem) : manifest;
    }

    /// <summary>Says what is wrong with a manifest, or null if nothing is.</summary>
    public string? Problem()
    {
        if (Files.Count is 0 or > MaxFiles)
            return $"a package has 1 to {MaxFiles} files, not {Files.Count}";
        if (Files.Select(f => PackagePath.Problem(f.Path)).FirstOrDefault(p => p is not null) is { } wrong)
            return wrong;
        // Windows and macOS take them for one file, and a file is no folder.
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (Files.FirstOrDefault(f => !seen.Add(f.Path)) is { } twice)
            return $"'{twice.Path}' is there twice, but for upper and lower case";
        if (Files.FirstOrDefault(f => Parents(f.Path).Any(seen.Contains)) is { } below)
            return $"'{below.Path}' lies below a file";
        return Files.FirstOrDefault(f => f.Length < 0 || f.Mode is < 0 or > 0b111_111_111) is { } impossible ? $"'{impossible.Path}' has an impossible length or mode" : null;
    }

    private static PackageFile File(JsonElement file) => new(
        file.Text("path"), (int)Math.Min(file.Whole("mode", 0), int.MaxValue), file.Whole("length", 0),
        BlobHash.Parse(file.Text("sha256")) ?? throw new FormatException("a 'sha256' is no SHA-256"));

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            yield return path[..slash];
    }

}

/// <param name="Path">Below the package's folder, with <c>/</c> between; see <see cref="PackagePath"/>.</param>
/// <param name="Mode">Permission bits as on Unix, at most octal 777: neither set-user-id nor links.</param>
/// <param name="Length">Bytes.</param>
public sealed record PackageFile(string Path, int Mode, long Length, BlobHash Content);

/// <summary>How a device installs a package. Names are in manifests; numbers are nowhere.</summary>
public enum InstallKind
{
    /// <summary>Debian packages, by dpkg.</summary>
    Deb = 1,

    /// <summary>Windows Installer.</summary>
    Msi = 2,

    /// <summary>Files that are put beside the old ones and switched to by one rename.</summary>
    Archive = 3,

    /// <summary>A program of the package's own, run once.</summary>
    Script = 4,
}

/// <summary>The names of <see cref="InstallKind"/>, in manifests and for people.</summary>
public static class InstallKinds
{
    public static string Name(this InstallKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>Null: no kind has that name.</summary>
    public static InstallKind? Named(string name) => Enum.GetValues<InstallKind>().Select(k => (InstallKind?)k).FirstOrDefault(k => k!.Value.Name() == name);
}
