using System.Net;
using System.Net.Http.Json;
using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Tests.Links;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit.Abstractions;

namespace Fleet.Headquarters.Tests.Cluster;

/// <summary>Two whole headquarters nodes on one database: the second joins by an invitation, and the first, the oldest, is drained, as an administrator does both.</summary>
public sealed class DrainTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Offices = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-drain-").FullName;
    private readonly string[] _addresses = [.. FreePorts.Take(2).Select(port => $"127.0.0.1:{port}")];
    private readonly HeadquartersNode?[] _nodes = new HeadquartersNode?[2];
    private readonly List<ActorSystem> _offices = [];
    private string _database = "";
    private HttpClient? _api;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _api?.Dispose();
        await Task.WhenAll(_offices.Select(o => o.Terminate()));
        foreach (var node in _nodes.OfType<HeadquartersNode>())
            await node.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [SkippableFact]
    public async Task An_invitation_makes_one_machine_a_node_and_no_second()
    {
        await Start(0);
        var invitation = await Invitation();

        await Join(1, invitation);
        var refused = await Assert.ThrowsAsync<IOException>(() => HeadquartersNode.Join(Path.Combine(_directory, "thief"), WebOf(0), invitation, TimeProvider.System, CancellationToken.None));
        await Start(1);

        await UntilUp(2);
        Assert.Contains("was used", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_directory, "thief")));
    }

    [SkippableFact]
    public async Task A_drained_node_gives_offices_and_links_to_the_other_loses_nothing_that_was_acknowledged_and_comes_back()
    {
        await Start(0);
        await Join(1, await Invitation());
        await Start(1);
        Talk(1);
        await UntilUp(2);
        for (var i = 0; i < Offices; i++)
            Assert.True(await Added($"office-{i}"));
        await Until.True(async () => (await Nodes()) is var nodes && nodes.All(n => n.Offices > 0) && nodes.Sum(n => n.Offices) == Offices, "both nodes have offices", Patience);
        Assert.True((await Nodes())[0] is { Oldest: true, Self: false });
        var linked = await LinkTo(0, new OfficeId("office-0"));
        await Until.True(async () => (await Nodes())[0].Links == 1, "the link is counted", Patience);
        using var enough = new CancellationTokenSource();
        var orders = Orders(enough.Token);

        using (var answer = await _api!.PostAsync($"/api/v1/cluster/nodes/{_addresses[0]}/drain", null))
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var end = await _nodes[0]!.Ended.WaitAsync(Patience);
        await Stop(0);

        Assert.True(end.Orderly);
        Assert.True((await linked.Hears<Goodbye>(Patience)).Message.Elsewhere);
        await UntilUp(1);
        var later = 0;
        await Until.True(async () => await Added($"later-{later++}"), "the company decides on the other node", Patience);
        await enough.CancelAsync();
        var (acknowledged, asked) = await orders;
        output.WriteLine($"{acknowledged.Count} of {asked} offices were acknowledged while the node was drained");
        await Until.True(async () => acknowledged.IsSubsetOf(await Shown()), "every office that was acknowledged is shown", Patience);
        foreach (var office in acknowledged.Concat(Enumerable.Range(0, Offices).Select(i => $"office-{i}")))
            await Until.True(() => Answers(office), $"the twin of {office} answers on the other node", Patience);

        await Start(0);

        await UntilUp(2);
        Assert.True((await Nodes())[1] is { Self: false } back && back.Address == _addresses[0]);
    }

    [SkippableFact]
    public async Task The_only_node_and_one_that_is_not_there_are_not_drained()
    {
        await Start(0);

        using var only = await _api!.PostAsync($"/api/v1/cluster/nodes/{_addresses[0]}/drain", null);
        using var unknown = await _api.PostAsync("/api/v1/cluster/nodes/127.0.0.1:1/drain", null);

        Assert.Contains("only headquarters node", (await TestFaces.Problem(only)).Detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.False(_nodes[0]!.Ended.IsCompleted);
    }

    private string DataOf(int node) => Path.Combine(_directory, $"hq{node}");

    private string WebOf(int node) => $"127.0.0.1:{_nodes[node]!.Web.Port}";

    private async Task Start(int node)
    {
        if (_database.Length == 0)
            _database = (await TestStorage.PostgresOptions()).ConnectionString;
        var options = HeadquartersOptions.Load(null,
        [
            .. HeadquartersNodeTests.AnyPorts.Where(s => !s.StartsWith("cluster.port", StringComparison.Ordinal)),
            "storage.provider=postgresql", $"storage.connection-string={_database}", $"updates.directory=\"{Path.Combine(_directory, "updates")}\"",
            "cluster.bind=127.0.0.1", $"cluster.port={HostPort.Parse(_addresses[node]).Port}", $"cluster.address=\"{_addresses[node]}\"", $"cluster.seeds=[\"{_addresses[0]}\", \"{_addresses[1]}\"]",
            // A busy machine stands still for seconds.
            "cluster.silent-for=20s",
        ]);
        _nodes[node] = await HeadquartersNode.Start(DataOf(node), options, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance).WaitAsync(Patience);
        if (_api is null)
            Talk(node);
    }

    private async Task Stop(int node)
    {
        var stopping = _nodes[node]!;
        _nodes[node] = null;
        await stopping.DisposeAsync();
    }

    // One token goes for all nodes: the identity brings its hash.
    private void Talk(int node)
    {
        _api?.Dispose();
        _api = TestFaces.Client(new Uri($"https://{WebOf(node)}"), File.ReadAllText(Path.Combine(DataOf(0), "admin.token")).Split('.')[1]);
    }

    private async Task<AdminToken> Invitation()
    {
        using var answer = await _api!.PostAsync("/api/v1/cluster/invitations", null);
        answer.EnsureSuccessStatusCode();
        Assert.True(AdminToken.TryParse((await answer.Content.ReadFromJsonAsync(ApiJson.Default.ClusterInvitationResource))!.Text, out var invitation, out _));
        return invitation!;
    }

    private Task Join(int node, AdminToken invitation) => HeadquartersNode.Join(DataOf(node), WebOf(0), invitation, TimeProvider.System, CancellationToken.None);

    private async Task<IReadOnlyList<ClusterNodeResource>> Nodes() => (await _api!.GetFromJsonAsync("/api/v1/cluster/nodes", ApiJson.Default.ListPageClusterNodeResource))!.Items;

    private Task UntilUp(int count) => Until.True(async () => (await Nodes()) is var nodes && nodes.Count == count && nodes.All(n => n.Status == "up"), $"headquarters is {count} nodes", Patience);

    private async Task<bool> Added(string office)
    {
        using var answer = await _api!.PostAsJsonAsync("/api/v1/offices", new NewOffice(office), ApiJson.Default.NewOffice);
        return answer.IsSuccessStatusCode;
    }

    private async Task<HashSet<string>> Shown() =>
        [.. (await _api!.GetFromJsonAsync("/api/v1/offices?limit=500", ApiJson.Default.ListPageOfficeResource))!.Items.Select(o => o.Id)];

    private async Task<bool> Answers(string office)
    {
        using var answer = await _api!.PostAsJsonAsync("/api/v1/tokens", new NewToken(office, "agent"), ApiJson.Default.NewToken);
        return answer.IsSuccessStatusCode;
    }

    // One after another without a pause, until told to stop.
    private async Task<(HashSet<string> Acknowledged, int Asked)> Orders(CancellationToken enough)
    {
        HashSet<string> acknowledged = [];
        var asked = 0;
        for (; !enough.IsCancellationRequested; asked++)
            if (await Added($"order-{asked}"))
                acknowledged.Add($"order-{asked}");
        return (acknowledged, asked);
    }

    /// <summary>Enrols an office node and links it to a headquarters node.</summary>
    private async Task<OfficeNode> LinkTo(int node, OfficeId office)
    {
        using var made = await _api!.PostAsJsonAsync("/api/v1/tokens", new NewToken(office.Value, "node"), ApiJson.Default.NewToken);
        Assert.True(JoinToken.TryParse((await made.Content.ReadFromJsonAsync(ApiJson.Default.CreatedToken))!.Text, out var token, out _));
        using var key = KeyRequest.NewKey();
        using var handler = new SocketsHttpHandler { SslOptions = { ClientCertificates = [KeyRequest.SelfSigned(key, TimeProvider.System)], RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        using var channel = GrpcChannel.ForAddress($"https://{_nodes[node]!.Agents}", new GrpcChannelOptions { HttpHandler = handler });
        using var machine = new Machine("gw1");
        var enrolled = (await new AgentGateway.AgentGatewayClient(channel).EnrolAsync(machine.Join(token!, JoinKind.Node))).Enrolled;
        var authority = CertificateAuthority.OpenOrCreate(DataOf(node), new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        var (id, certificate, at) = (new NodeId(enrolled.Id), machine.Certificate(enrolled), _nodes[node]!.Links.ToString());
        var network = new TcpNetwork();
        var options = HeadquartersOptions.Load(null, []).Link;
        var setup = new LinkTransportSetup(network, PeerIdentity.Of(id).LogicalHost, () => certificate, authority.Trust, (_, _) => null, null, _ => [LinkWay.Direct(network, at)]);
        var system = ActorSystem.Create("office", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(LinkHocon.Office(options)), setup));
        _offices.Add(system);
        var linked = new OfficeNode(id, system);
        await linked.ComeIn();
        return linked;
    }
}
