using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;

namespace Fleet.Headquarters.Identity;

/// <summary>
/// Who was removed and may not come in with a certificate from before. Revocation needs no list of serials: a subject that enrols anew has a
/// certificate from after its removal. Thread-safe; fed from the read model at the start and from the journal's events after it.
/// </summary>
public sealed class Admission
{
    private readonly ConcurrentDictionary<PeerIdentity, DateTimeOffset> _removed = new();

    /// <summary>Raised when a subject is removed: whoever holds a connection of it ends it.</summary>
    public event Action<PeerIdentity>? Removed;

    /// <summary>The subject was removed; telling it again is no fault.</summary>
    public void Remove(PeerIdentity identity, DateTimeOffset at)
    {
        var latest = _removed.AddOrUpdate(identity, at, (_, known) => known > at ? known : at);
        if (latest == at)
            Removed?.Invoke(identity);
    }

    /// <summary>Why a genuine peer may not come in, or null.</summary>
    public string? Refusal(PeerIdentity identity, X509Certificate2 certificate)
    {
        if (!_removed.TryGetValue(identity, out var at))
            return null;
        var issued = certificate.NotBefore.ToUniversalTime() + CertificateAuthority.Backdating;
        // Certificates count whole seconds: one issued in the second of the removal is taken for a new one.
        return issued < at.UtcDateTime.AddSeconds(-1) ? $"it was removed at {at:u}; it has to enrol anew" : null;
    }
}
