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
    public SigningKey? Find(string role)
    {
        var path = PathOf(role);
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

    /// <exception cref="StorageException">As <see cref="Find"/>; or the file is away.</exception>
    public SigningKey Open(string role) => Find(role) ?? throw new StorageException($"{PathOf(role)} is missing; restore it from a backup");

    public SigningKey Make(string role)
    {
        var key = SigningKey.NewEd25519();
        Directory.CreateDirectory(directory);
        DurableFile.Replace(PathOf(role), NodeSecret.Seal(issuer.EnvelopePublicKey, PurposeOf(role), key.ToPkcs8()));
        return key;
    }

    public string PathOf(string role) => Path.Combine(directory, role + ".key");

    private static string PurposeOf(string role) => $"key of the update role {role}";
}
