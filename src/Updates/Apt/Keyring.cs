using System.Text;
using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Fleet.Updates.Apt;

/// <summary>OpenPGP public keys, any of which may have signed. Weak, revoked and expired keys sign nothing.</summary>
public sealed class Keyring
{
    /// <summary>How far ahead a signature may lie: clocks differ.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(1);

    private readonly List<PgpPublicKeyRing> _rings;
    private readonly List<SigningIdentity> _keys;

    private Keyring(List<PgpPublicKeyRing> rings) => (_rings, _keys) = (rings, [.. rings.SelectMany(SigningIdentity.Of)]);

    /// <summary>Reads keys, armored (also several one behind the other) or not.</summary>
    /// <exception cref="AptException">It holds no public keys.</exception>
    public static Keyring Read(ReadOnlyMemory<byte> content, string subject)
    {
        var rings = new List<PgpPublicKeyRing>();
        try
        {
            foreach (var block in Blocks(content))
            {
                var factory = new PgpObjectFactory(block);
                while (factory.NextPgpObject() is { } item)
                    switch (item)
                    {
                        case PgpPublicKeyRing ring:
                            rings.Add(ring);
                            break;
                        case PgpSecretKeyRing:
                            throw new AptException(AptFault.Malformed, subject, "it holds a secret key; hand out public keys alone");
                    }
            }
        }
        catch (Exception wrong) when (IsUnreadable(wrong))
        {
            throw new AptException(AptFault.Malformed, subject, $"it holds no OpenPGP keys that can be read: {wrong.Message}", wrong);
        }

        return rings.Count > 0 ? new Keyring(rings) : throw new AptException(AptFault.Malformed, subject, "it holds no OpenPGP public key");
    }

    /// <summary>Fingerprints of all its keys, for people.</summary>
    public IReadOnlyList<string> Fingerprints => [.. _keys.Select(k => k.Fingerprint)];

    /// <summary>The keys that may sign now, with what their owners say of them and nothing else; empty: none may.</summary>
    public byte[] Slimmed(DateTimeOffset now)
    {
        var usable = _keys.Where(k => k.Problem(now) is null).Select(k => k.Key.KeyId).ToHashSet();
        using var slim = new MemoryStream();
        foreach (var ring in _rings.Where(r => r.GetPublicKeys().Any(k => usable.Contains(k.KeyId))))
            SigningIdentity.Slimmed(ring, usable).Encode(slim);
        return slim.ToArray();
    }

    /// <summary>Fingerprints of the keys that may sign now.</summary>
    public IReadOnlyList<string> Usable(DateTimeOffset now) => [.. _keys.Where(k => k.Problem(now) is null).Select(k => k.Fingerprint)];

    /// <summary>Why each key of the ring that may not sign may not.</summary>
    public IReadOnlyList<string> Problems(DateTimeOffset now) => [.. _keys.Select(k => (k.Fingerprint, Problem: k.Problem(now))).Where(k => k.Problem is not null).Select(k => $"key {k.Fingerprint} {k.Problem}")];

    /// <summary>Returns when one of the signatures is good.</summary>
    /// <param name="content">What is signed; for signed text with the line ends that count.</param>
    /// <param name="isText">Whether it is signed as text or as bytes.</param>
    /// <exception cref="AptException">None is; the message says why not for each.</exception>
    public void Verify(ReadOnlySpan<byte> content, bool isText, ReadOnlyMemory<byte> signatures, DateTimeOffset now, string subject)
    {
        var reasons = new List<string>();
        try
        {
            foreach (var signature in Blocks(signatures).SelectMany(Signatures))
            {
                if (Problem(signature, content, isText, now) is not { } problem)
                    return;
                reasons.Add(problem);
            }
        }
        catch (Exception wrong) when (IsUnreadable(wrong))
        {
            reasons.Add($"a signature can't be read: {wrong.Message}");
        }

        throw new AptException(AptFault.Unsigned, subject, reasons.Count == 0 ? "it bears no signature" : string.Join("; ", reasons));
    }

    /// <summary>The library throws whatever it stumbles over in made-up packets.</summary>
    internal static bool IsUnreadable(Exception fault) => fault is not (AptException or OutOfMemoryException);

    private string? Problem(PgpSignature signature, ReadOnlySpan<byte> content, bool isText, DateTimeOffset now)
    {
        var id = signature.KeyId.ToString("X16");
        if (signature.SignatureType != (isText ? PgpSignature.CanonicalTextDocument : PgpSignature.BinaryDocument))
            return $"the signature by {id} is of another kind";
        if (signature.HashAlgorithm is not (HashAlgorithmTag.Sha256 or HashAlgorithmTag.Sha384 or HashAlgorithmTag.Sha512))
            return $"the signature by {id} is over {signature.HashAlgorithm}, which is too weak";
        if (signature.CreationTime > now.UtcDateTime + Ahead)
            return $"the signature by {id} was made at {signature.CreationTime:u}, ahead of this clock, which says {now.UtcDateTime:u}";
        if (signature.GetHashedSubPackets() is { } packets && packets.HasSignatureExpirationTime() && packets.GetSignatureExpirationTime() is > 0 and var seconds
            && signature.CreationTime.AddSeconds(seconds) <= now.UtcDateTime)
            return $"the signature by {id} has expired";

        string? problem = null;
        foreach (var key in _keys.Where(k => k.Key.KeyId == signature.KeyId))
        {
            if (key.Problem(now) is { } unusable)
            {
                problem = $"key {key.Fingerprint} {unusable}";
                continue;
            }

            signature.InitVerify(key.Key);
            signature.Update(content);
            if (signature.Verify())
                return null;
            problem = $"the signature by {key.Fingerprint} is wrong";
        }

        return problem ?? $"key {id} is not in the keyring";
    }

    private static IEnumerable<PgpSignature> Signatures(Stream block)
    {
        var factory = new PgpObjectFactory(block);
        while (factory.NextPgpObject() is { } item)
            if (item is PgpSignatureList list)
                for (var i = 0; i < list.Count; i++)
                    yield return list[i];
    }

    // Armor holds one block; files of several are joined ones.
    private static IEnumerable<Stream> Blocks(ReadOnlyMemory<byte> content)
    {
        const string Begin = "-----BEGIN PGP ";
        var text = Encoding.Latin1.GetString(content.Span);
        var at = text.IndexOf(Begin, StringComparison.Ordinal);
        if (at < 0)
        {
            yield return new MemoryStream(content.ToArray(), writable: false);
            yield break;
        }

        while (at >= 0)
        {
            var next = text.IndexOf(Begin, at + 1, StringComparison.Ordinal);
            yield return new ArmoredInputStream(new MemoryStream(Encoding.Latin1.GetBytes(text[at..(next < 0 ? text.Length : next)]), writable: false));
            at = next;
        }
    }
}
