using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>Takes a server for headquarters only if it shows headquarters' certificate of the pinned CA. System trust stores and DNS names have no say.</summary>
public sealed class PinnedServer(byte[] caPin, TimeProvider clock)
{
    /// <summary>Why the last server was not taken for headquarters; null where it was.</summary>
    public string? Problem { get; private set; }

    public bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Problem = Check(certificate as X509Certificate2, chain?.ChainPolicy.ExtraStore ?? []);
        return Problem is null;
    }

    private string? Check(X509Certificate2? leaf, X509Certificate2Collection sent)
    {
        if (leaf is null)
            return "it shows no certificate";
        if (PeerTrust.FindPinned(caPin, sent.Prepend(leaf)) is not { } authority)
            return "its certificate is not of the headquarters that this token is from";
        return new PeerTrust(authority, clock, PeerTrust.FieldTolerance).Check(leaf, out var problem) switch
        {
            null => problem,
            { Kind: PeerKind.Headquarters } => null,
            var other => $"it is {other}, not headquarters",
        };
    }
}
