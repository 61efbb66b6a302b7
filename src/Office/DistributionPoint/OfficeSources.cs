using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;

namespace Fleet.Office.DistributionPoint;

/// <summary>
/// Where a distribution point takes things from: the sources of a task in their order, and for content the office's other distribution points. Each file
/// has one of them that brings it over the uplink (by rendezvous over its hash); the others take it from there. Thread-safe; a plan is replaced as a whole.
/// </summary>
internal sealed class OfficeSources : IDisposable
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(10);
    private static readonly IReadOnlyList<UpdateSource> Headquarters = [new UpdateSource(UpdateSourceKind.Headquarters, "")];

    private readonly NodeId _node;
    private readonly IByteNetwork _network;
    private readonly Func<BlobHash, PeerQuestion> _question;
    private readonly SocketsHttpHandler _fleet;
    private readonly HttpClient _fleetHttp;
    private readonly ConcurrentDictionary<Access, HttpClient> _web = new();
    private readonly Func<string, ReadOnlyMemory<byte>, byte[]> _open;
    private volatile Plan _plan = new(new Dictionary<UpdateSource, IReadOnlyList<RepositorySource>>(), [], []);

    /// <param name="open">Opens what headquarters sealed for this node, by purpose.</param>
    /// <param name="question">What this distribution point says of itself when it asks another for content.</param>
    public OfficeSources(NodeId node, Func<X509Certificate2> certificate, PeerTrust trust, IByteNetwork network, Func<string, ReadOnlyMemory<byte>, byte[]> open, Func<BlobHash, PeerQuestion> question)
    {
        (_node, _open, _question) = (node, open, question);
        _fleet = PeerHttp.Handler(certificate, shown => Judge(shown, trust, node), network.Connect, ConnectWithin);
        _fleetHttp = new HttpClient(_fleet, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        _network = network;
    }

    /// <summary>To vendors' servers: by the machine's own trust and proxy, and no redirects.</summary>
    public SocketsHttpHandler Web()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ConnectTimeout = ConnectWithin, ActivityHeadersPropagator = null, MaxResponseHeadersLength = 16,
        };
        // The machine's own sockets find a name's best address by themselves.
        if (_network is not TcpNetwork)
            handler.ConnectCallback = async (asked, stop) => await _network.Connect(HostPort.Of(asked.DnsEndPoint.Host, asked.DnsEndPoint.Port), stop);
        return handler;
    }

    /// <summary>The repositories of sources, in the order in which they are tried.</summary>
    /// <param name="sources">Empty: headquarters.</param>
    public IReadOnlyList<RepositorySource> Repositories(IReadOnlyList<UpdateSource> sources)
    {
        var known = _plan.Repositories;
        return [.. (sources.Count == 0 ? Headquarters : sources).SelectMany(s => known.GetValueOrDefault(KeyOf(s)) ?? [])];
    }

    /// <summary>Replaces the plan.</summary>
    /// <param name="sources">All that may be asked for.</param>
    public void Obey(UpdatePlan plan, IEnumerable<UpdateSource> sources) => _plan = new Plan(
        sources.Concat(Headquarters).DistinctBy(KeyOf).ToDictionary(KeyOf, IReadOnlyList<RepositorySource> (s) => [.. Of(s, plan)]),
        [.. plan.Peers.Select(p => new Peer(p.NodeId, Of(p, onlyIfHere: false), Of(p, onlyIfHere: true)))],
        [.. plan.Headquarters.Concat(plan.Peers.Select(p => p.Addresses[0])).Select(HostPort.UrlOf)]);

    /// <summary>Where a vendor's metadata is: at headquarters, and else at the office's other distribution points.</summary>
    public IReadOnlyList<RepositorySource> VendorsAt(string vendor) => [.. _plan.Vendors.Select(at => RepositorySource.At($"{at}/vendors/{vendor}", _fleetHttp))];

    /// <summary>Where content is taken from, in the order in which it is tried.</summary>
    /// <param name="sources">Behind the office's other distribution points; empty: headquarters.</param>
    /// <param name="askedByPeer">Another distribution point asks, because this one is to bring it.</param>
    public IReadOnlyList<IBlobSource> For(BlobHash hash, IReadOnlyList<UpdateSource> sources, bool askedByPeer)
    {
        var plan = _plan;
        var upstream = Repositories(sources).Select(r => r.Content);
        if (askedByPeer || plan.Peers.Count == 0)
            return [.. upstream];
        var order = Rendezvous.Order(hash.Value, plan.Peers.Select(p => p.Node).Append(_node), n => n.Value).ToList();
        // Those before this one bring it; those behind may have it from a time when they were fewer.
        return
        [
            .. order.TakeWhile(n => n != _node).Select(n => plan.Peers.First(p => p.Node == n).Brings),
            .. order.SkipWhile(n => n != _node).Skip(1).Select(n => plan.Peers.First(p => p.Node == n).Has),
            .. upstream,
        ];
    }

    /// <summary>The office's other distribution points, which may have content that is of no package of the tenant's.</summary>
    public IEnumerable<IBlobSource> Near => _plan.Peers.Select(p => p.Has);

    public void Dispose()
    {
        _fleetHttp.Dispose();
        _fleet.Dispose();
        foreach (var http in _web.Values)
            http.Dispose();
    }

    private static string? Judge(X509Certificate2? shown, PeerTrust trust, NodeId own) => trust.Check(shown, out var problem) switch
    {
        null => problem,
        { Kind: PeerKind.Headquarters } => null,
        { Kind: PeerKind.Node } peer when new NodeId(peer.Id).Office == own.Office => null,
        var other => $"this is the certificate of {other}, neither headquarters nor a node of office {own.Office}",
    };

    private IEnumerable<RepositorySource> Of(UpdateSource source, UpdatePlan plan) => source.Kind switch
    {
        UpdateSourceKind.Headquarters => plan.Headquarters.Select(a => RepositorySource.At(HostPort.UrlOf(a), _fleetHttp)),
        UpdateSourceKind.Vendor => [RepositorySource.At(source.Location, _web.GetOrAdd(AccessTo(source), Web))],
        UpdateSourceKind.Folder => [RepositorySource.OfFolder(source.Location)],
        // Of a newer headquarters.
        _ => [],
    };

    // A run goes on with its sources while a plan comes whose passwords are the same, sealed anew.
    private static UpdateSource KeyOf(UpdateSource source) => source with { Password = default };

    private Access AccessTo(UpdateSource source)
    {
        var password = "";
        try
        {
            password = source.Password.IsEmpty ? "" : Encoding.UTF8.GetString(_open(UpdateSource.PasswordPurpose, source.Password));
        }
        catch (EnvelopeException)
        {
            // Sealed for a certificate that is gone: headquarters seals it anew, and the server says meanwhile that it is missing.
        }

        return source.Proxy.Length + source.User.Length + source.Pin.Length == 0 ? Access.Plain : new Access(source.Location, source.Proxy, source.User, password, source.Pin);
    }

    private HttpClient Web(Access access)
    {
        var handler = Web();
        if (access.Proxy.Length > 0)
            handler.Proxy = new WebProxy(access.Proxy);
        if (access.Pin.Length > 0)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => PinOf(shown) is var pin && pin == access.Pin
                ? true
                : throw new AuthenticationException($"the server shows another key than the one that is pinned: {pin}");
        var http = HttpBlobSource.Client(handler);
        // Sent to this server alone, over TLS; no redirect is followed.
        if (access.User.Length > 0)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{access.User}:{access.Password}")));
        return http;
    }

    private static string PinOf(X509Certificate? shown) => shown is X509Certificate2 certificate ? Convert.ToHexStringLower(PeerTrust.PinOf(certificate)) : "none";

    private PeerBlobSource Of(NodeHop peer, bool onlyIfHere)
    {
        var blobs = new Uri($"{HostPort.UrlOf(peer.Addresses[0])}/blobs");
        return new PeerBlobSource(new HttpBlobSource(_fleetHttp, blobs, hash => (_question(hash) with { OnlyIfHere = onlyIfHere }).ToHeaders()));
    }

    /// <param name="Brings">Asked to bring content over the uplink.</param>
    /// <param name="Has">Asked for what it has.</param>
    private sealed record Peer(NodeId Node, PeerBlobSource Brings, PeerBlobSource Has);

    /// <summary>How a server is asked; those without anything of their own share one.</summary>
    private sealed record Access(string Location, string Proxy, string User, string Password, string Pin)
    {
        public static readonly Access Plain = new("", "", "", "", "");
    }

    private sealed record Plan(IReadOnlyDictionary<UpdateSource, IReadOnlyList<RepositorySource>> Repositories, IReadOnlyList<Peer> Peers, IReadOnlyList<string> Vendors);
}
