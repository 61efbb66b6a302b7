using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf.Client;

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
    private readonly SocketsHttpHandler _fleet;
    private readonly HttpClient _fleetHttp;
    private readonly SocketsHttpHandler _web;
    private readonly HttpClient _webHttp;
    private volatile Plan _plan = new(new Dictionary<UpdateSource, IReadOnlyList<RepositorySource>>(), []);

    public OfficeSources(NodeId node, Func<X509Certificate2> certificate, PeerTrust trust, IByteNetwork network)
    {
        _node = node;
        _fleet = PeerHttp.Handler(certificate, shown => Judge(shown, trust, node), network.Connect, ConnectWithin);
        _fleetHttp = new HttpClient(_fleet, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        _network = network;
        _web = Web();
        _webHttp = HttpBlobSource.Client(_web);
    }

    /// <summary>To vendors' servers: by the machine's own trust and proxy, and no redirects.</summary>
    public SocketsHttpHandler Web()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ConnectTimeout = ConnectWithin, ActivityHeadersPropagator = null,
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
        return [.. (sources.Count == 0 ? Headquarters : sources).SelectMany(s => known.GetValueOrDefault(s) ?? [])];
    }

    /// <summary>Replaces the plan.</summary>
    /// <param name="sources">All that may be asked for.</param>
    public void Obey(UpdatePlan plan, IEnumerable<UpdateSource> sources) => _plan = new Plan(
        sources.Concat(Headquarters).Distinct().ToDictionary(s => s, IReadOnlyList<RepositorySource> (s) => [.. Of(s, plan)]),
        [.. plan.Peers.Select(p => (p.NodeId, PeerOf(p)))]);

    /// <summary>Where content is taken from, in the order in which it is tried.</summary>
    /// <param name="sources">Behind the office's other distribution points; empty: headquarters.</param>
    /// <param name="askedByPeer">Another distribution point asks, because this one is to bring it.</param>
    public IReadOnlyList<IBlobSource> For(BlobHash hash, IReadOnlyList<UpdateSource> sources, bool askedByPeer)
    {
        var plan = _plan;
        var upstream = Repositories(sources).Select(r => r.Content);
        if (askedByPeer || plan.Peers.Count == 0)
            return [.. upstream];
        var others = Rendezvous.Order(hash.Value, plan.Peers.Select(p => p.Node).Append(_node), n => n.Value).TakeWhile(n => n != _node).ToList();
        return [.. others.Select(n => plan.Peers.First(p => p.Node == n).Source), .. upstream];
    }

    /// <summary>The office's other distribution points, which may have content that is of no package of the tenant's.</summary>
    public IEnumerable<IBlobSource> Near => _plan.Peers.Select(p => p.Source);

    public void Dispose()
    {
        _fleetHttp.Dispose();
        _fleet.Dispose();
        _webHttp.Dispose();
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
        UpdateSourceKind.Headquarters => plan.Headquarters.Select(a => At($"https://{a}", _fleet, _fleetHttp)),
        UpdateSourceKind.Vendor => [At(source.Location.TrimEnd('/'), _web, _webHttp)],
        UpdateSourceKind.Folder => [RepositorySource.OfFolder(source.Location)],
        // Of a newer headquarters.
        _ => [],
    };

    private static RepositorySource At(string address, SocketsHttpHandler handler, HttpClient http) => new(
        address, new HttpSource(new Uri($"{address}/metadata"), handler), new HttpBlobSource(http, new Uri($"{address}/blobs")));

    private PeerBlobSource PeerOf(NodeHop peer)
    {
        var address = peer.Addresses[0];
        return new PeerBlobSource(new HttpBlobSource(
            _fleetHttp, new Uri($"{(address.Contains("://", StringComparison.Ordinal) ? address : $"https://{address}")}/blobs"), new Dictionary<string, string> { [PeerBlobSource.Header] = _node.Value }));
    }

    private sealed record Plan(IReadOnlyDictionary<UpdateSource, IReadOnlyList<RepositorySource>> Repositories, IReadOnlyList<(NodeId Node, PeerBlobSource Source)> Peers);
}
