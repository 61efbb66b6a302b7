using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>One metadata file as received: what is signed, the bytes to verify, and the signatures by key id. Nothing of it is trusted yet.</summary>
public sealed record SignedDocument(JsonElement Signed, byte[] SignedBytes, IReadOnlyDictionary<string, byte[]> Signatures)
{
    /// <exception cref="FormatException">Not a metadata file; the message says why.</exception>
    public static SignedDocument Parse(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        var document = StrictJson.Parse(utf8, maxBytes);
        var signed = document.Field("signed", JsonValueKind.Object);
        var signatures = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in document.Field("signatures", JsonValueKind.Array).EnumerateArray())
        {
            var keyId = entry.Text("keyid");
            if (!signatures.TryAdd(keyId, Bytes(entry.Text("sig"))))
                throw new FormatException($"two signatures by key '{keyId}'");
        }

        return new SignedDocument(signed, CanonicalJson.Of(signed), signatures);
    }

    // A signature that is no hexadecimal text is as good as none: the others still count.
    private static byte[] Bytes(string hex)
    {
        try
        {
            return Convert.FromHexString(hex);
        }
        catch (FormatException)
        {
            return [];
        }
    }
}

/// <summary>Who must sign a role: the keys by their ids, and how many different ones of them.</summary>
public sealed record Signers(IReadOnlyDictionary<string, TufKey> Keys, int Threshold)
{
    // 0 would accept what nobody signed (GHSA-fphv-w9fq-2525).
    public int Threshold { get; } = Threshold >= 1 ? Threshold : throw new FormatException($"threshold {Threshold}");

    /// <summary>The different usable keys.</summary>
    public IReadOnlySet<string> Identities => Keys.Values.Select(k => k.Identity).OfType<string>().ToHashSet();

    public bool Approve(SignedDocument document)
    {
        var approving = from key in Keys
                        where document.Signatures.TryGetValue(key.Key, out var signature) && key.Value.Verifies(document.SignedBytes, signature)
                        select key.Value.Identity;
        return approving.Distinct().Take(Threshold).Count() == Threshold;
    }
}
