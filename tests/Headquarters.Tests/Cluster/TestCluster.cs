using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Fleet.Messages.Transport;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters.Tests.Cluster;

/// <summary>Several headquarters nodes without their doors, in this process, over real connections on loopback and one store.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-hqs-").FullName;
    private readonly CertificateAuthority _authority;
    private readonly List<string> _addresses = [];
    private readonly List<ClusterSystem?> _nodes = [];

    private TestCluster(int nodes)
    {
        _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        _addresses.AddRange(Enumerable.Range(0, nodes).Select(_ => $"127.0.0.1:{FreePort()}"));
        Store = ReadModelStore.Sqlite(Path.Combine(_directory, "read-model.db"));
    }

    public ReadModelStore Store { get; }

    public IReadOnlyList<ClusterSystem> Nodes => [.. _nodes.OfType<ClusterSystem>()];

    public static async Task<TestCluster> Start(int nodes)
    {
        var cluster = new TestCluster(nodes);
        for (var i = 0; i < nodes; i++)
            cluster._nodes.Add(await ClusterSystem.Start(cluster.Parts(i)).WaitAsync(Patience));
        return cluster;
    }

    public async Task AddOffices(int count)
    {
        for (var i = 0; i < count; i++)
            Assert.IsType<CompanyAccepted>(await Nodes[i % Nodes.Count].Company.Ask<ICompanyReply>(new AddOffice(new OfficeId($"office-{i}"), $"Office {i}", "test"), Patience));
    }

    /// <summary>How many twins run on each node.</summary>
    public async Task<IReadOnlyList<int>> OfficesOnEach()
    {
        var counts = new List<int>();
        foreach (var node in Nodes)
        {
            var state = await node.Offices.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, Patience);
            counts.Add(state.Shards.Sum(s => s.EntityIds.Count));
        }

        return counts;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
            await node.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    private ClusterParts Parts(int node)
    {
        var options = new ClusterOptions(IPAddress.Loopback, HostPort.Parse(_addresses[node]).Port, _addresses[node], [.. _addresses.Select(a => new ClusterSeed(a, ByDns: false))],
            TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1));
        var link = new LinkOptions(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5), 262144, 4194304, 512);
        return new ClusterParts(
            new JournalFile(Path.Combine(_directory, "journal.db")),
            new JournalOptions(TimeSpan.FromMilliseconds(50), Parallelism: 1, MaxConcurrentRecoveries: 50),
            Store,
            new ReadModelOptions(500, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
            TestOffices.Options,
            TestOffices.Wake,
            new ConnectionBudgets(2000, 100_000),
            _authority,
            TimeProvider.System,
            new ClusterTransport(ConfigurationFactory.ParseString("akka.loglevel = INFO").WithFallback(LinkHocon.Cluster(link)), [ClusterLink.Setup(new TcpNetwork(), _authority, options)])) { Cluster = options };
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
