using System.Security.Cryptography;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Identity;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// The private keys of a repository's roles, a file each, sealed with headquarters' own key: without <c>identity/</c> they open nowhere. The root's is
/// needed only to sign the next root, and may be kept elsewhere meanwhile.
/// </summary>
internal sealed class RoleKeys(string directory, ICertificateIssuer issuer)
{
    /// <summary>Null: the file is away.</summary>
    /// <exception cref="StorageException">It is damaged, or was sealed for another headquarters.</exception>
    public SigningKey? Find(string role) => Find(role, PathOf(role));

    /// <summary>The key that is to follow the role's; null: none is.</summary>
    /// <exception cref="StorageException">As <see cref="Find(string)"/>.</exception>
    public SigningKey? FindNext(string role) => Find(role, NextOf(role));

    /// <exception cref="StorageException">As <see cref="Find(string)"/>; or the file is away.</exception>
    public SigningKey Open(string role) => Find(role) ?? throw new StorageException($"{PathOf(role)} is missing; restore it from a backup");

    public SigningKey Make(string role) => Make(role, PathOf(role));

    public SigningKey MakeNext(string role) => Make(role, NextOf(role));

    /// <summary>The key that was to follow takes the role's place.</summary>
    public void TakeNext(string role) => File.Move(NextOf(role), PathOf(role), overwrite: true);

    public void Forget(string role) => File.Delete(PathOf(role));

    public string PathOf(string role) => Path.Combine(directory, role + ".key");

    private SigningKey? Find(string role, string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return SigningKey.FromPkcs8(issuer.OpenSecret(PurposeOf(role), File.ReadAllBytes(path)));
        }
        catch (Exception damaged) when (damaged is EnvelopeException or CryptographicException)
        {
            throw new StorageException($"{path} can't be used: {damaged.Message}; restore it and identity/ from one backup");
        }
    }

    private SigningKey Make(string role, string path)
    {
        var key = SigningKey.NewEd25519();
        Directory.CreateDirectory(directory);
        DurableFile.Replace(path, NodeSecret.Seal(issuer.EnvelopePublicKey, PurposeOf(role), key.ToPkcs8()));
        return key;
    }

    private string NextOf(string role) => Path.Combine(directory, role + ".next.key");

    private static string PurposeOf(string role) => $"key of the update role {role}";
}
