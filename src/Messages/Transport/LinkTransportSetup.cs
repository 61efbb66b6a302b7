using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor.Setup;
using Fleet.Contracts.Identity;

namespace Fleet.Messages.Transport;

/// <summary>
/// Hands an actor system's <c>LinkTransport</c> what HOCON can't carry. <c>LinkTransport</c> is Akka.Remote over mutual TLS on any
/// <see cref="IByteNetwork"/>: it binds the name an association claims to the peer's certificate, survives failed handshakes and takes new
/// certificates without dropping an association.
/// </summary>
/// <param name="Network">Where to listen.</param>
/// <param name="LogicalHost">The name this side announces: that of its certificate.</param>
/// <param name="Certificate">The certificate (with key) to show on the next connection; asked anew each time.</param>
/// <param name="Trust">Which certificates are genuine.</param>
/// <param name="Admit">Judges a genuine peer: null lets it in, a text says why not (revoked, removed, wrong kind).</param>
/// <param name="ListenAt">Where to listen, or null: nothing listens.</param>
/// <param name="Dial">The ways to a logical host, in the order of trying, or null where it must not be dialled.</param>
/// <param name="Reachable">Paths that peers may address, with what lies under them; peers then speak for their own actors alone. Null: no such limits.</param>
public sealed class LinkTransportSetup(
    IByteNetwork Network,
    string LogicalHost,
    Func<X509Certificate2> Certificate,
    PeerTrust Trust,
    Func<PeerIdentity, X509Certificate2, string?> Admit,
    IPEndPoint? ListenAt,
    Func<string, IReadOnlyList<LinkWay>?> Dial,
    IReadOnlyList<string>? Reachable = null) : Setup
{
    public IByteNetwork Network { get; } = Network;

    public string LogicalHost { get; } = LogicalHost;

    public Func<X509Certificate2> Certificate { get; } = Certificate;

    public PeerTrust Trust { get; } = Trust;

    public Func<PeerIdentity, X509Certificate2, string?> Admit { get; } = Admit;

    public IPEndPoint? ListenAt { get; } = ListenAt;

    public Func<string, IReadOnlyList<LinkWay>?> Dial { get; } = Dial;

    public IReadOnlyList<string>? Reachable { get; } = Reachable;
}
