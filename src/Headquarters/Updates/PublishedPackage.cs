using System.Globalization;
using System.Text.Json;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Headquarters.Updates;

/// <summary>A version of a package as the signed targets list it.</summary>
/// <param name="Files">How many.</param>
/// <param name="Length">Bytes of all files, unpacked.</param>
/// <param name="Manifest">The content of its manifest.</param>
public sealed record PublishedPackage(string Name, string Version, InstallKind Kind, int Files, long Length, DateTimeOffset PublishedAt, BlobHash Manifest)
{
    /// <summary>The list of deltas to it; null: none was made yet.</summary>
    public BlobHash? Deltas { get; init; }

    /// <summary>The target that stands for a package; what lists show of it is in its custom data, so that no manifest has to be read for that.</summary>
    public static TargetFile Target(PackageManifest manifest, ReadOnlySpan<byte> bytes, DateTimeOffset now)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", manifest.Kind.Name());
            json.WriteNumber("files", manifest.Files.Count);
            json.WriteNumber("length", manifest.Length);
            json.WriteString("publishedAt", now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        return new TargetFile(PackageTarget.PathOf(manifest.Name, manifest.Version), bytes.Length, ContentHashes.Of(bytes), JsonElement.Parse(buffer.ToArray()));
    }

    /// <summary>Null: the target is no package.</summary>
    public static PublishedPackage? Of(TargetFile target) =>
        PackageTarget.Parse(target.Path) is var (name, version) && target.Custom is { } custom && BlobHash.Parse(target.Hashes.Naming) is { } manifest
        && InstallKinds.Named(custom.GetProperty("kind").GetString() ?? "") is { } kind
            ? new PublishedPackage(name, version, kind, custom.GetProperty("files").GetInt32(), custom.GetProperty("length").GetInt64(), custom.GetProperty("publishedAt").GetDateTimeOffset(), manifest)
            : null;
}
