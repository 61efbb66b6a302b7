using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Admission;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using Google.Protobuf;
using JoinKind = Fleet.Messages.Offices.JoinKind;

namespace Fleet.Headquarters.Tests;

/// <summary>A whole headquarters without its doors: the cluster system on a journal of its own in a fresh directory.</summary>
internal sealed class TestCompany : IAsyncDisposable
{
    public static readonly OfficeId Leeds = new("leeds");
    public static readonly OfficeId York = new("york");

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-hq-").FullName;
    private readonly TestStorage _storage;
    private readonly int _snapshotEvery;
    private ClusterSystem? _cluster;

    private TestCompany(TestStorage storage, int snapshotEvery)
    {
        (_storage, _snapshotEvery) = (storage, snapshotEvery);
        Authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        ReadModel = new ReadModelQueries(Store, TimeProvider.System);
    }

    public CertificateAuthority Authority { get; }

    /// <summary>With its identity.</summary>
    public string Data => _directory;

    public IJournalStore Journal => _storage.Journal;

    public ReadModelStore Store => _storage.ReadModel;

    public ReadModelQueries ReadModel { get; }

    public ClusterSystem Cluster => _cluster!;

    public ActorSystem System => _cluster!.System;

    /// <summary>What its twins, and faces over them, put off.</summary>
    public Overload Overload { get; } = new();

    /// <summary>Read at each start.</summary>
    public ConnectionBudgets Budgets { get; set; } = new(Links: 2000, Devices: 100_000);

    /// <summary>Read at each start.</summary>
    public TimeSpan SnapshotWithin { get; set; } = TestOffices.Options.SnapshotWithin;

    /// <summary>Read at each start.</summary>
    public RetentionOptions Retention { get; set; } = HeadquartersOptions.Load(null, []).Retention;

    public static Task<TestCompany> Start(int snapshotEvery = 1000, params OfficeId[] offices) => Start(TestStorage.Usual, snapshotEvery, offices);

    public static async Task<TestCompany> Start(StorageProvider storage, int snapshotEvery = 1000, params OfficeId[] offices) =>
        await Start(await TestStorage.New(storage), snapshotEvery, offices);

    /// <summary>On a PostgreSQL database.</summary>
    public static async Task<TestCompany> Start(StorageOptions storage, int snapshotEvery, params OfficeId[] offices) =>
        await Start(await TestStorage.On(storage), snapshotEvery, offices);

    /// <summary>On a storage that the company disposes of.</summary>
    public static async Task<TestCompany> Start(TestStorage storage, int snapshotEvery, OfficeId[] offices)
    {
        var company = new TestCompany(storage, snapshotEvery);
        await company.StartCluster();
        foreach (var office in offices)
            await company.Company(new AddOffice(office, office.Value, "test"));
        // The company's yes is its own; an office opens itself when it hears of it.
        foreach (var office in offices)
            await ReadModelShows(async () => await company.ReadModel.Office(office) is not null, $"{office} is open");
        return company;
    }

    public async Task StartCluster() => _cluster = await ClusterSystem.Start(Parts());

    public async Task Restart()
    {
        await _cluster!.DisposeAsync();
        await StartCluster();
    }

    public async Task RebuildReadModel()
    {
        await _cluster!.DisposeAsync();
        await ClusterSystem.Rebuild(Parts());
        await StartCluster();
    }

    public Task<ICompanyReply> Company(ICompanyCommand command) => Cluster.Company.Ask<ICompanyReply>(command, Wait);

    public Task<IOfficeReply> Office(IForOffice command) => Cluster.Offices.Ask<IOfficeReply>(command, Wait);

    public async Task<JoinToken> Token(OfficeId office, JoinKind kind, int uses = 1)
    {
        var made = Assert.IsType<TokenMade>(await Office(new CreateToken(office, kind, uses, TimeSpan.FromHours(1), "test")));
        Assert.True(JoinToken.TryParse(made.Text, out var token, out var problem), problem);
        return token!;
    }

    public async Task<EnrolReply> Enrol(EnrolRequest request, OfficeId? at = null)
    {
        var answer = (EnrolmentAnswer)await Office(new Enrol(at ?? new OfficeId(request.OfficeId), "r", request.ToByteArray(), null));
        return EnrolReply.Parser.ParseFrom(answer.Reply.Span);
    }

    public async Task<Machine> EnrolDevice(OfficeId office, string name)
    {
        var machine = new Machine(name);
        machine.Joined((await Enrol(machine.Join(await Token(office, JoinKind.Agent)))).Enrolled);
        return machine;
    }

    public Task<DirectAnswer> Direct(OfficeId office, params IUpItem[] items) => Cluster.Offices.Ask<DirectAnswer>(new TakeDirect(office, items), Wait);

    public Task<DirectAnswer> Report(Machine machine, OfficeId office, DeviceReport report) =>
        Direct(office, new DeviceEnvelopeUp(machine.Id, machine.Seal(report), office));

    /// <summary>Everything in the journal, in order.</summary>
    public async Task<IReadOnlyList<object>> Events() => [.. (await Rows()).SelectMany<object, object>(row => row is OfficeEvents many ? many.Events : [row])];

    /// <summary>The journal's rows, in order; one may hold many events.</summary>
    public async Task<IReadOnlyList<object>> Rows()
    {
        using var materializer = System.Materializer();
        var journal = PersistenceQuery.Get(System).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        return [.. (await journal.CurrentAllEvents(Offset.NoOffset()).RunWith(Sink.Seq<EventEnvelope>(), materializer)).Select(e => e.Event)];
    }

    public static Task ReadModelShows(Func<Task<bool>> condition, string what) => Until.True(condition, what);

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        await _storage.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Runs a statement in the journal's database.</summary>
    public Task<object?> Run(string sql) => _storage.Run(sql);

    /// <summary>Whether a text lies anywhere in what this headquarters stores.</summary>
    public Task<bool> Stores(string text) => _storage.Holds(text, _directory);

    public ClusterParts Parts() => new(
        _storage.Journal,
        new JournalOptions(TimeSpan.FromMilliseconds(50), Parallelism: null, MaxConcurrentRecoveries: 50),
        Store,
        new ReadModelOptions(500, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
        Retention,
        TestOffices.Options with { SnapshotEvery = _snapshotEvery, SnapshotWithin = SnapshotWithin },
        TestOffices.Wake,
        Budgets,
        Authority,
        TimeProvider.System,
        ClusterTransport.Alone with { Config = ConfigurationFactory.ParseString("akka.loglevel = WARNING").WithFallback(ClusterTransport.Alone.Config) })
    { Overload = Overload };
}

internal static class TestOffices
{
    public static OfficeOptions Options { get; } = new(
        SyncInterval: TimeSpan.FromMinutes(15),
        HeadquartersAddresses: ["hq.example:13000"],
        HeadquartersPushAddresses: ["hq.example:13295"],
        HeadquartersUpdateAddresses: ["hq.example:13443"],
        HeadquartersLinkAddresses: [],
        SnapshotEvery: 1000,
        SnapshotWithin: TimeSpan.FromDays(14),
        RefusalsPerHour: 3,
        DeviceIdleAfter: TimeSpan.FromMinutes(1),
        PresenceEvery: TimeSpan.FromMilliseconds(50),
        ResendEvery: TimeSpan.FromMilliseconds(500),
        MinBackoff: TimeSpan.FromMilliseconds(100),
        MaxBackoff: TimeSpan.FromSeconds(1),
        Discovery: new DiscoveryOptions(
            IpRangeEvery: TimeSpan.FromMinutes(420),
            MulticastDnsEvery: TimeSpan.FromMinutes(60),
            LdapEvery: TimeSpan.FromMinutes(60),
            PacketsPerSecond: 200,
            MovePollerAfter: TimeSpan.FromMilliseconds(300),
            AddressLifetime: TimeSpan.FromHours(24),
            ForgetAfter: TimeSpan.FromDays(7),
            ForgetIgnoredAfter: TimeSpan.FromDays(90),
            RememberEvery: TimeSpan.FromHours(6),
            MaxDevices: 2000,
            ReviewEvery: TimeSpan.FromMilliseconds(100),
            SilentAfter: TimeSpan.FromMinutes(5)));

    public static WakeOptions Wake { get; } = new(PushWithin: TimeSpan.FromMilliseconds(300), DatagramWithin: TimeSpan.FromMilliseconds(300), StartWithin: TimeSpan.FromMinutes(1), NudgeEvery: TimeSpan.FromMilliseconds(50), NudgeWithin: TimeSpan.FromSeconds(1), DatagramPort: 1, ReachableNetworks: []);
}
