using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Storage;

namespace Fleet.Headquarters.Identity;

/// <summary>
/// Who may steer this headquarters: whoever has the administrator token. The first start writes it to <c>admin.token</c>; headquarters itself keeps
/// only a hash, in <c>admin.hash</c>, so the token file may be moved to where the administrator works. A deleted <c>admin.hash</c> makes a new token at the next start.
/// </summary>
public sealed class AdminCredentials
{
    public const string TokenFile = "admin.token";
    internal const string HashFile = "admin.hash";

    private readonly byte[] _hash;

    private AdminCredentials(byte[] hash) => _hash = hash;

    /// <summary>Changes with the token and gives nothing of it away: sessions of an older token end by it.</summary>
    public string Stamp => Convert.ToHexStringLower(SHA256.HashData(_hash)[..8]);

    /// <exception cref="StorageException">The files can't be read or written.</exception>
    public static AdminCredentials OpenOrCreate(DataDirectory directory, byte[] caPin)
    {
        if (directory.Read(HashFile) is { } kept)
        {
            var text = Encoding.ASCII.GetString(kept).Trim();
            return text.Length == SHA256.HashSizeInBytes * 2 && text.All(char.IsAsciiHexDigit)
                ? new AdminCredentials(Convert.FromHexString(text))
                : throw new StorageException($"{directory.PathOf(HashFile)} is damaged; restore it from a backup, or delete it to get a new administrator token");
        }

        var token = AdminToken.Create(caPin);
        var hash = SHA256.HashData(token.Secret);
        // The token first: a crash in between leaves a token that the next start replaces, never one that nobody has.
        directory.Replace(TokenFile, Encoding.ASCII.GetBytes(token.ToText() + "\n"));
        directory.Replace(HashFile, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash) + "\n"));
        return new AdminCredentials(hash);
    }

    /// <summary>Whether this is the secret of the token, as it is sent.</summary>
    public bool Knows(string bearer) =>
        AdminToken.SecretOf(bearer) is { } secret && CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), _hash);
}
