using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;

namespace Fleet.NatLab.Fleets;

/// <summary>Makes HTTP clients for headquarters' REST API on any network: authenticated by the pin in the administrator's token, never by a host name.</summary>
public static class PinnedApi
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    /// <summary>A fleet of hundreds in one process, or a machine that others use too, may take its time.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);

    public static HttpClient Client(IByteNetwork network, string address, AdminToken token)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = ConnectPatience,
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
            Timeout = AnswerPatience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token.Bearer) },
        };
    }
}
