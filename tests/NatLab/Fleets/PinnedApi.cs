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

    /// <param name="addresses"><c>host:port</c> of headquarters' nodes: the first that takes a connection is asked.</param>
    public static HttpClient Client(IByteNetwork network, IReadOnlyList<string> addresses, AdminToken token)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = ConnectPatience,
            ConnectCallback = async (_, cancellation) => await FirstOf(network, addresses, cancellation).ConfigureAwait(false),
            SslOptions = new()
            {
                RemoteCertificateValidationCallback = (_, leaf, chain, _) => leaf is X509Certificate2 certificate
                    && PeerTrust.FindPinned(token.CaPin, chain?.ChainPolicy.ExtraStore ?? []) is { } authority
                    && new PeerTrust(authority, TimeProvider.System, PeerTrust.FieldTolerance).Check(certificate, out _) is { Kind: PeerKind.Headquarters },
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://{addresses[0]}/"),
            Timeout = AnswerPatience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token.Bearer) },
        };
    }

    private static async Task<Stream> FirstOf(IByteNetwork network, IReadOnlyList<string> addresses, CancellationToken cancellation)
    {
        foreach (var address in addresses.SkipLast(1))
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(ConnectPatience / addresses.Count);
            try
            {
                return await network.Connect(address, patience.Token).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is IOException || (fault is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                // The next node.
            }
        }

        return await network.Connect(addresses[^1], cancellation).ConfigureAwait(false);
    }
}
