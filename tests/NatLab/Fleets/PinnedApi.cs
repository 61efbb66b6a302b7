using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;

namespace Fleet.NatLab.Fleets;

/// <summary>Makes HTTP clients for headquarters' REST API on any network: authenticated by the pin in the administrator's token, never by a host name.</summary>
public static class PinnedApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static HttpClient Client(IByteNetwork network, string address, AdminToken token)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = Patience,
            ConnectCallback = async (_, cancellation) => await network.Connect(address, cancellation).ConfigureAwait(false),
            SslOptions = new()
            {
                RemoteCertificateValidationCallback = (_, leaf, chain, _) => leaf is X509Certificate2 certificate
                    && PeerTrust.FindPinned(token.CaPin, chain?.ChainPolicy.ExtraStore ?? []) is { } authority
                    && new PeerTrust(authority, TimeProvider.System, PeerTrust.FieldTolerance).Check(certificate, out _) is { Kind: PeerKind.Headquarters },
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://{address}/"),
            Timeout = Patience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token.Bearer) },
        };
    }
}
