using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.Cluster;

/// <summary>
/// Invitations with which a new machine gets this headquarters' identity and becomes a node of it. Kept in this process's memory alone, each good once and for
/// a few minutes. Thread-safe.
/// </summary>
public sealed partial class ClusterInvitations(string data, CertificateAuthority authority, TimeProvider clock, ILogger<ClusterInvitations> log)
{
    /// <summary>Long enough to type a command on another machine.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _open = [];

    public (AdminToken Invitation, DateTimeOffset ExpiresAt) Make(string by)
    {
        // The same form as an administrator token: a secret, and the pin by which the new machine knows headquarters before it shows it.
        var invitation = AdminToken.Create(PeerTrust.PinOf(authority.Authority));
        var expires = clock.GetUtcNow() + Lifetime;
        lock (_gate)
            _open[HashOf(invitation.Secret)] = expires;
        LogMade(by, expires);
        return (invitation, expires);
    }

    /// <summary>This headquarters' identity, for who shows an invitation; null: it is none, or used, or too old.</summary>
    /// <param name="bearer">The invitation's secret, as it is sent.</param>
    public IReadOnlyDictionary<string, byte[]>? Take(string bearer, string from)
    {
        if (AdminToken.SecretOf(bearer) is not { } secret)
            return null;
        lock (_gate)
            if (!_open.Remove(HashOf(secret), out var expires) || expires <= clock.GetUtcNow())
                return null;
        LogTaken(from);
        return DataFiles.IdentityIn(data).ToDictionary(f => f, f => File.ReadAllBytes(Path.Combine(data, f)));
    }

    private static string HashOf(byte[] secret) => Convert.ToHexString(SHA256.HashData(secret));

    [LoggerMessage(LogLevel.Warning, "{By} made an invitation for one more headquarters node, good until {Until}")]
    private partial void LogMade(string by, DateTimeOffset until);

    [LoggerMessage(LogLevel.Warning, "A machine at {From} took this headquarters' identity with an invitation: it is a node of this headquarters now")]
    private partial void LogTaken(string from);
}
