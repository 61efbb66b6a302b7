using System.Text.Json;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Deltas;

/// <summary>
/// How files of one version are made of files of versions before it. The repository's signed targets list it beside the package, whose manifest so never
/// changes when deltas come later. Written and read as canonical JSON.
/// </summary>
public sealed record PackageDeltas(string Name, string Version, IReadOnlyList<FileDelta> Deltas)
{
    /// <summary>A delta has about 240 bytes of it.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    public const int MaxDeltas = 30_000;

    private const int Format = 1;

    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("deltas");
            foreach (var delta in Deltas)
            {
                json.WriteStartObject();
                json.WriteString("base", delta.Base.Value);
                json.WriteString("delta", delta.Delta.Value);
                json.WriteString("file", delta.File.Value);
                json.WriteNumber("length", delta.Length);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("format", Format);
            json.WriteString("name", Name);
            json.WriteString("version", Version);
            json.WriteEndObject();
        }

        return CanonicalJson.Of(StrictJson.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), MaxBytes));
    }

    /// <exception cref="FormatException">Not such a document; the message says why.</exception>
    public static PackageDeltas Read(ReadOnlySpan<byte> bytes)
    {
        var json = StrictJson.Parse(bytes, MaxBytes);
        if (json.Whole("format", 1) is not Format and var format)
            throw new FormatException($"the list of deltas has format {format}; this version reads {Format}");
        var deltas = json.Field("deltas", JsonValueKind.Array);
        if (deltas.GetArrayLength() > MaxDeltas)
            throw new FormatException($"a list of deltas has at most {MaxDeltas} of them, not {deltas.GetArrayLength()}");
        var (name, version) = (json.Text("name"), json.Text("version"));
        return PackageTarget.Problem(name, version) is { } problem ? throw new FormatException(problem) : new PackageDeltas(name, version, [.. deltas.EnumerateArray().Select(Delta)]);
    }

    private static FileDelta Delta(JsonElement delta) => new(
        Hash(delta, "base"), Hash(delta, "file"), Hash(delta, "delta"),
        delta.Whole("length", 1) is var length && length <= ZstdDelta.MaxLength ? length : throw new FormatException($"no delta has {length} bytes"));

    private static BlobHash Hash(JsonElement delta, string name) => BlobHash.Parse(delta.Text(name)) ?? throw new FormatException($"'{name}' is no SHA-256");
}

/// <param name="Base">The content that is there.</param>
/// <param name="File">The content that is made of it.</param>
/// <param name="Delta">What has to come for that; see <see cref="ZstdDelta"/>.</param>
/// <param name="Length">Bytes of the delta.</param>
public sealed record FileDelta(BlobHash Base, BlobHash File, BlobHash Delta, long Length);
