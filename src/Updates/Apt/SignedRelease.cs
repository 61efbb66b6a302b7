namespace Fleet.Updates.Apt;

/// <summary>A release as its maker signed it: in one file, or with the signatures beside it.</summary>
/// <param name="Content">The file <c>InRelease</c>, or <c>Release</c>.</param>
/// <param name="Signature">The file <c>Release.gpg</c>; null: the signatures are in the content.</param>
public sealed record SignedRelease(byte[] Content, byte[]? Signature)
{
    public const string InRelease = "InRelease";
    public const string Release = "Release";
    public const string ReleaseGpg = "Release.gpg";

    /// <summary>Whether a file of that name is one of these.</summary>
    public static bool Names(string file) => file is InRelease or Release or ReleaseGpg;

    /// <summary>Null: it is signed the other way.</summary>
    public byte[]? File(string name) => (name, Signature) switch
    {
        (InRelease, null) => Content,
        (Release, not null) => Content,
        (ReleaseGpg, { } signature) => signature,
        _ => null,
    };

    public bool Same(SignedRelease other) => Content.AsSpan().SequenceEqual(other.Content) && (Signature ?? []).AsSpan().SequenceEqual(other.Signature ?? []);

    /// <summary>What is signed, once a key of the ring is found to have signed it.</summary>
    /// <exception cref="AptException">None has, or it is no signed text.</exception>
    public byte[] Verified(Keyring keyring, DateTimeOffset now, string subject)
    {
        if (Signature is not null)
        {
            keyring.Verify(Content, isText: false, Signature, now, subject);
            return Content;
        }

        var signed = ClearSigned.Read(Content, subject);
        keyring.Verify(signed.Canonical, isText: true, signed.Signature, now, subject);
        return signed.Text;
    }
}
