using System.Text.Json;
using System.Text.Json.Nodes;

namespace Fleet.Updates.Tuf.Repository;

/// <summary>
/// A metadata file on its way to publication. It may travel unsigned to where a key is kept (an offline root), be signed there, and come back to be
/// merged with what others signed.
/// </summary>
public static class MetadataDocument
{
    public static byte[] Unsigned(Metadata metadata) => Unsigned(MetadataWriter.Json(metadata));

    public static byte[] Unsigned(JsonObject signed) => Write(JsonElement.Parse(signed.ToJsonString()), new Dictionary<string, byte[]>());

    /// <summary>What a root says, whoever signed it; only a client's check says whether to trust it.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Root ReadRoot(ReadOnlySpan<byte> document) => MetadataReader.Root(SignedDocument.Parse(document, MetadataLimits.Root).Signed);

    /// <summary>Ids of the keys by which a document says that it is signed.</summary>
    /// <exception cref="FormatException">Not a metadata file.</exception>
    public static IReadOnlyList<string> SignersOf(ReadOnlySpan<byte> document) => [.. SignedDocument.Parse(document, MetadataLimits.Targets).Signatures.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The document with a signature by each key added, or replaced.</summary>
    /// <exception cref="FormatException">Not a metadata file.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> document, params IEnumerable<SigningKey> keys)
    {
        var parsed = SignedDocument.Parse(document, MetadataLimits.Targets);
        var signatures = new Dictionary<string, byte[]>(parsed.Signatures);
        foreach (var key in keys)
            signatures[key.Id] = key.Sign(parsed.SignedBytes);
        return Write(parsed.Signed, signatures);
    }

    /// <summary>The signatures of two copies of one document together.</summary>
    /// <exception cref="FormatException">They are not copies of one document, or none at all.</exception>
    public static byte[] Merge(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var (mine, theirs) = (SignedDocument.Parse(one, MetadataLimits.Targets), SignedDocument.Parse(other, MetadataLimits.Targets));
        if (!mine.SignedBytes.AsSpan().SequenceEqual(theirs.SignedBytes))
            throw new FormatException("the two files are not copies of one document: their signed parts differ");
        return Write(mine.Signed, mine.Signatures.Concat(theirs.Signatures).DistinctBy(s => s.Key, StringComparer.Ordinal));
    }

    private static byte[] Write(JsonElement signed, IEnumerable<KeyValuePair<string, byte[]>> signatures)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("signatures");
            foreach (var (keyId, signature) in signatures)
            {
                json.WriteStartObject();
                json.WriteString("keyid", keyId);
                json.WriteString("sig", Convert.ToHexStringLower(signature));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("signed");
            signed.WriteTo(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
