using System.Net;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Company;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters.Tests.Cluster;

/// <summary>Several headquarters nodes without their doors, in this process, over real connections on loopback, on one PostgreSQL database.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-hqs-").FullName;
    private readonly PostgresDatabase _database;
    private readonly List<string> _addresses;
    private readonly List<CutNetwork> _networks;
    private readonly List<ClusterSystem?> _nodes = [];
    private readonly Func<int, Config> _more;
    private int _offices;

    private TestCluster(StorageOptions storage, ReadModelStore store, int nodes, Func<int, Config> more)
    {
        (_database, Store, _more) = (new PostgresDatabase(storage), store, more);
        Authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        _addresses = [.. FreePorts.Take(nodes).Select(port => $"127.0.0.1:{port}")];
        _networks = [.. _addresses.Select(_ => new CutNetwork())];
    }

    public CertificateAuthority Authority { get; }

    public ReadModelStore Store { get; }

    public IReadOnlyList<ClusterSystem> Nodes => [.. _nodes.OfType<ClusterSystem>()];

    public IReadOnlyList<string> Addresses => _addresses;

    /// <param name="more">Settings of each node that come before all others.</param>
    public static async Task<TestCluster> Start(int nodes, Func<int, Config>? more = null)
    {
        var storage = await TestStorage.PostgresOptions();
        var cluster = new TestCluster(storage, await ReadModelStore.PostgreSql(new PostgresDatabase(storage)), nodes, more ?? (_ => Config.Empty));
        for (var i = 0; i < nodes; i++)
            cluster._nodes.Add(await ClusterSystem.Start(cluster.Parts(i)).WaitAsync(Patience));
        return cluster;
    }

    /// <summary>Adds offices until there are so many; those that are there stay.</summary>
    public async Task AddOffices(int count)
    {
        for (var i = _offices; i < count; i++, _offices++)
            Assert.IsType<CompanyAccepted>(await Nodes[i % Nodes.Count].Company.Ask<ICompanyReply>(new AddOffice(new OfficeId($"office-{i}"), $"Office {i}", "test"), Patience));
    }

    /// <summary>Starts a node again that was stopped.</summary>
    public async Task Restart(int node) => _nodes[node] = await ClusterSystem.Start(Parts(node)).WaitAsync(Patience);

    public async Task Stop(int node)
    {
        var stopping = _nodes[node]!;
        _nodes[node] = null;
        await stopping.DisposeAsync();
    }

    /// <summary>Nothing goes to or from the node any more, and no connection tells it; what it keeps in the database it can still reach.</summary>
    public void CutOff(int node)
    {
        foreach (var network in _networks)
            network.Cut(_addresses[node]);
        _networks[node].CutAll();
    }

    public ClusterSystem Node(int node) => _nodes[node]!;

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

    public ClusterParts Parts(int node)
    {
        var options = new ClusterOptions(IPAddress.Loopback, HostPort.Parse(_addresses[node]).Port, _addresses[node], [.. _addresses.Select(a => new ClusterSeed(a, ByDns: false))],
            SilentFor: TimeSpan.FromSeconds(3), StableAfter: TimeSpan.FromSeconds(3), TakeOverAfter: TimeSpan.FromSeconds(1));
        var link = new LinkOptions(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5), 262144, 4194304, 512);
        return new ClusterParts(
            new JournalDatabase(_database),
            new JournalOptions(TimeSpan.FromMilliseconds(50), Parallelism: null, MaxConcurrentRecoveries: 50),
            Store,
            new ReadModelOptions(500, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
            HeadquartersOptions.Load(null, []).Retention,
            TestOffices.Options,
            TestOffices.Wake,
            new ConnectionBudgets(2000, 100_000),
            Authority,
            TimeProvider.System,
            new ClusterTransport(
                // Founding takes a seed's timeout, which need not be long where all are on one machine.
                _more(node).WithFallback(ConfigurationFactory.ParseString("akka { loglevel = WARNING, cluster.seed-node-timeout = 1s }")).WithFallback(LinkHocon.Cluster(link)), [ClusterLink.Setup(_networks[node], Authority, options)]))
        {
            Cluster = options,
            Shared = _database,
        };
    }

    public async ValueTask DisposeAsync()
    {
        // One after another: those that leave at once wait for each other.
        foreach (var node in Nodes)
            await node.DisposeAsync();
        Npgsql.NpgsqlConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }
}
