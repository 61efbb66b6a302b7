using System.Globalization;
using System.Net;
using System.Text.Json;
using Fleet.Backups;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Gateway;
using Fleet.Gateway.Monitoring;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Headquarters.Web;
using Fleet.Messages.Admission;
using Fleet.Messages.Log;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters;

/// <summary>
/// One running headquarters node: its data directory, identity, actor systems and ports. Several fit into one process. Serves from
/// <see cref="Start"/> until disposed.
/// </summary>
public sealed partial class HeadquartersNode : IAsyncDisposable
{
    /// <summary>The kind in the data directory's marker.</summary>
    private const string Kind = "headquarters";

    private const string VendorsDirectory = "vendors";

    /// <summary>How long the office nodes that are linked here may take to go to other headquarters nodes.</summary>
    private static readonly TimeSpan DrainWithin = TimeSpan.FromSeconds(10);

    /// <summary>In the order of their making.</summary>
    private readonly Stack<IAsyncDisposable> _parts;
    private readonly HeadquartersPeers _peers;

    private HeadquartersNode(Stack<IAsyncDisposable> parts, HeadquartersPeers peers) => (_parts, _peers) = (parts, peers);

    public static string Version { get; } = typeof(HeadquartersNode).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0.0.0";

    /// <summary>Where console and REST API listen.</summary>
    public required IPEndPoint Web { get; init; }

    /// <summary>Where agents connect directly.</summary>
    public required IPEndPoint Agents { get; init; }

    /// <summary>Where office nodes dial.</summary>
    public required IPEndPoint Links { get; init; }

    /// <summary>Where nodes and agents read the update repository.</summary>
    public required IPEndPoint Updates { get; init; }

    /// <summary>Where metrics and health are read; null: nowhere.</summary>
    public required IPEndPoint? Monitoring { get; init; }

    /// <summary>The file that the first start wrote the administrator token to.</summary>
    public required string AdminTokenFile { get; init; }

    /// <summary>Done when the node should stop, though nobody told its process so; says why.</summary>
    public Task<NodeEnd> Ended => _peers.Ended;

    /// <param name="data">The data directory; made if missing.</param>
    /// <exception cref="StorageException">The directory is foreign, newer, in use or not writable.</exception>
    /// <exception cref="IdentityException">The identity in it is damaged.</exception>
    /// <exception cref="JournalRefusedException">The journal in it is newer or damaged.</exception>
    /// <exception cref="IOException">A port can't be listened on; the message names the setting.</exception>
    public static async Task<HeadquartersNode> Start(
        string data, HeadquartersOptions options, IByteNetwork network, TimeProvider clock, ILoggerFactory logging, CancellationToken cancellation = default)
    {
        var parts = new Stack<IAsyncDisposable>();
        try
        {
            var directory = DataDirectory.Open(data, Kind);
            parts.Push(new Closing(directory));
            var authority = CertificateAuthority.OpenOrCreate(directory.Path, options.Identity, clock);
            if (authority.EndsSoon() is { } end)
                LogAuthority(logging.CreateLogger<HeadquartersNode>(), end);
            var credentials = AdminCredentials.OpenOrCreate(directory, PeerTrust.PinOf(authority.Authority));
            var storage = await HeadquartersStorage.Open(directory, options.Storage, Waiting(logging), cancellation: cancellation);
            var readModel = storage.ReadModel;
            parts.Push(readModel);

            var meter = new HeadquartersMeter();
            var overload = new Overload(meter.PutOff);
            parts.Push(new Closing(meter));
            var cluster = await ClusterSystem.Start(ClusterOf(storage, options, authority, network, clock, logging) with { Meter = meter, Overload = overload }, cancellation);
            parts.Push(cluster);

            var log = (ActorLog.Hocon(options.Log.Level), new ActorLogSetup(logging));
            var sessions = cluster.System.ActorOf(LinkSessions.Props(cluster.Offices, clock), "link-sessions");
            var edge = EdgeSystem.Start(options.Links, options.Link, network, authority, sessions, clock, log, meter);
            parts.Push(edge);

            var watch = new OverloadWatch(options.Overload, overload, meter.Journal, meter.Projection, () => edge.Load.IsFull, logging.CreateLogger<HeadquartersNode>());
            parts.Push(watch);
            var peers = HeadquartersPeers.Start(cluster, edge, watch, meter.Projection, options, clock);
            cluster.System.ActorOf(DmzDials.Props(edge.DmzTools(network, authority, cluster.Offices, options.Link, clock)), "dmz-dials");

            // Headquarters is its own gateway, for devices that reach it directly.
            var relay = cluster.System.ActorOf(DirectRelay.Props(cluster.Offices, options.Links.PresenceEvery), "direct-relay");
            // Kestrel's own sockets serve best where there is a real network.
            var simulated = network is TcpNetwork ? null : network;
            var (agents, lines) = await GatewaySetup.StartWhole(cluster.System, options.Gateway, options.Push, relay, authority.Own, authority.Trust, clock, logging, simulated, new GatewayWatch(meter.Gateway, overload));
            parts.Push(agents);
            parts.Push(lines);

            var updates = await TenantRepository.Open(UpdatesOf(directory, options), options.Updates, authority, clock, logging);
            parts.Push(updates);
            var vendors = await VendorMirrors.Open(directory.PathOf(VendorsDirectory), updates, new VendorQueries(readModel).All, options.Updates, clock, logging, simulated);
            parts.Push(vendors);
            parts.Push(new DeltaMaker(updates, options.Updates, logging));
            parts.Push(new RepositoryNotices(updates, cluster.Company, options.Offices.ResendEvery, clock));
            var certificate = new ShownCertificate(authority.Own, authority.Authority);
            var updateFace = await UpdateFace.Start(options.Updates, updates, vendors, certificate, authority.Trust, logging, simulated, cancellation, meter.Sent);
            parts.Push(updateFace);

            var backups = new BackupMaker(directory.Path, options.Storage.Provider, storage.Journal, updates, options.SettingsFile, Version, clock, logging.CreateLogger<BackupMaker>());
            parts.Push(new Closing(backups));
            var scheduled = new ScheduledBackups(options.Backups, backups, () => cluster.View.IsOldest, meter, clock, logging.CreateLogger<ScheduledBackups>());
            scheduled.Start();
            parts.Push(scheduled);
            var web = await WebFace.Start(new WebParts(
                options.Web, new Owners(cluster.Company, cluster.Offices, options.Web.AskTimeout), cluster.View, new ClusterInvitations(directory.Path, authority, clock, logging.CreateLogger<ClusterInvitations>()), options.Cluster, new EnrolmentDial(network, Reached(agents.Local).ToString(), options.Link.ConnectTimeout, clock), readModel, updates, vendors, backups, credentials,
                certificate, options.Offices.Discovery, authority.EnvelopePublicKey, directory.PathOf(DataFiles.ConsoleKeys), Version, clock, logging, simulated)
            { Scheduled = scheduled, Storage = new StorageView(options.Storage.Provider, storage.Journal, readModel, cluster.ReadModelWriter, options.Web.AskTimeout), Overload = overload }, cancellation);
            parts.Push(web);

            var shown = new HeadquartersHealth(cluster, edge, peers, readModel, meter, watch);
            HeadquartersGauges.Add(meter, cluster, edge, watch);
            var monitoring = await MonitoringFace.Start(
                new MonitoringSetup(options.Monitoring, "fleet-headquarters", Version, options.Cluster.Address.Length > 0 ? options.Cluster.Address : Environment.MachineName, meter, shown.Live, shown.Ready, logging, simulated) { Traces = options.Traces }, cancellation);
            if (monitoring is not null)
                parts.Push(monitoring);

            return new HeadquartersNode(parts, peers) { Monitoring = monitoring?.Local, Web = web.Local, Agents = agents.Local, Links = edge.ListensAt, Updates = updateFace.Local, AdminTokenFile = directory.PathOf(AdminCredentials.TokenFile) };
        }
        catch
        {
            await Close(parts);
            throw;
        }
    }

    /// <summary>Writes the read model anew from the journal. No node may run on the directory meanwhile.</summary>
    /// <exception cref="StorageException">The directory is foreign, newer, in use or not writable.</exception>
    /// <exception cref="JournalRefusedException">The journal in it is newer or damaged.</exception>
    public static async Task RebuildReadModel(
        string data, HeadquartersOptions options, IByteNetwork network, TimeProvider clock, ILoggerFactory logging, CancellationToken cancellation = default)
    {
        using var directory = DataDirectory.Open(data, Kind);
        var authority = CertificateAuthority.OpenOrCreate(directory.Path, options.Identity, clock);
        var storage = await HeadquartersStorage.Open(directory, options.Storage, Waiting(logging), renewReadModel: true, cancellation);
        await using var readModel = storage.ReadModel;
        await ClusterSystem.Rebuild(ClusterOf(storage, options, authority, network, clock, logging), cancellation);
    }

    /// <summary>Makes a data directory one of another headquarters node's headquarters.</summary>
    /// <param name="data">Missing or empty.</param>
    /// <param name="from">The other node's console and API, <c>host:port</c>.</param>
    /// <exception cref="StorageException">The directory is not empty or not writable.</exception>
    /// <exception cref="IOException">The other node is out of reach, is not who the invitation is from, or refuses it; the message says which.</exception>
    public static async Task Join(string data, string from, AdminToken invitation, TimeProvider clock, CancellationToken cancellation)
    {
        if (Directory.Exists(data) && Directory.EnumerateFileSystemEntries(data).Any())
            throw new StorageException($"{data} is not empty: a node that joins begins with an empty data directory, or none");
        var files = await ClusterJoining.IdentityFrom(from, invitation, clock, cancellation);
        using var directory = DataDirectory.Open(data, Kind);
        foreach (var (name, content) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(directory.PathOf(name))!);
            directory.Replace(name, content);
        }

        // As it will be read.
        CertificateAuthority.OpenOrCreate(directory.Path, new IdentityOptions(TimeSpan.FromDays(30)), clock);
    }

    /// <summary>Makes this headquarters of a backup, and its read model of the journal in it.</summary>
    /// <param name="data">Missing or empty; with PostgreSQL the database is empty, too.</param>
    /// <param name="passphrase">Null: the backup is not encrypted.</param>
    /// <param name="say">Told how far it is.</param>
    /// <exception cref="BackupException">The file can't be used.</exception>
    /// <exception cref="StorageException">The target can't be used.</exception>
    public static async Task Restore(
        string data, string file, string? passphrase, HeadquartersOptions options, IByteNetwork network, TimeProvider clock, ILoggerFactory logging, Action<string> say, CancellationToken cancellation = default)
    {
        await BackupRestore.Run(data, Kind, file, passphrase, options, clock, say, cancellation);
        say("writing the read model");
        await RebuildReadModel(data, options, network, clock, logging, cancellation);
    }

    /// <summary>Takes a row out of the journal that can't be read, so that its owner goes on without it. It is kept in a file. No node may run meanwhile.</summary>
    /// <param name="position">As headquarters names it.</param>
    /// <returns>What was done, for people.</returns>
    /// <exception cref="StorageException">There is no such row.</exception>
    public static async Task<string> SetAside(string data, long position, HeadquartersOptions options, ILoggerFactory logging, CancellationToken cancellation = default)
    {
        using var directory = DataDirectory.Open(data, Kind, mayMake: false);
        var storage = await HeadquartersStorage.Open(directory, options.Storage, Waiting(logging), cancellation: cancellation);
        await using var readModel = storage.ReadModel;
        var rows = new JournalRows(storage.Journal);
        if (rows.After(position - 1, 1) is not [var row] || row.Ordering != position)
            throw new StorageException($"the journal has no event at position {position}; 'fleet status' names the rows that can't be read");
        var file = string.Create(CultureInfo.InvariantCulture, $"set-aside-{position}.json");
        directory.Replace(file, JsonSerializer.SerializeToUtf8Bytes(row));
        rows.Remove(row);
        readModel.Name(row.PersistenceId, []);
        return $"event {row.SequenceNr} of {row.PersistenceId} ({row.Manifest}) is taken out of the journal and kept in {directory.PathOf(file)}; at the next start {row.PersistenceId} goes on without it";
    }

    /// <summary>Moves journal, snapshots and read model to another kind of storage. No node may run on the directory meanwhile.</summary>
    /// <param name="postgres">The PostgreSQL side.</param>
    /// <param name="say">Told how far it is.</param>
    /// <exception cref="StorageException">It can't be moved; the message says why, and all is as it was.</exception>
    public static async Task MoveStorage(string data, StorageProvider to, StorageOptions postgres, Action<string> say, CancellationToken cancellation = default)
    {
        using var directory = DataDirectory.Open(data, Kind, mayMake: false);
        await StorageMove.Run(directory, to, postgres, say, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _peers.Drain(DrainWithin);
        await Close(_parts);
    }

    private static ClusterParts ClusterOf(
        HeadquartersStorage storage, HeadquartersOptions options, CertificateAuthority authority, IByteNetwork network, TimeProvider clock, ILoggerFactory logging)
    {
        var transport = ClusterLink.Setup(network, authority, options.Cluster);
        return new ClusterParts(
            storage.Journal, options.Journal, storage.ReadModel, options.ReadModel, options.Retention, options.Offices, options.Wake, options.Budgets, authority, clock,
            new ClusterTransport(ActorLog.Hocon(options.Log.Level).WithFallback(LinkHocon.Cluster(options.Link)), [new ActorLogSetup(logging), transport]))
        { Cluster = options.Cluster, Shared = storage.Shared };
    }

    private static string UpdatesOf(DataDirectory directory, HeadquartersOptions options) => options.Updates.IsShared ? options.Updates.Directory : directory.PathOf(DataFiles.Updates);

    // A port on all addresses is reached on loopback.
    private static IPEndPoint Reached(IPEndPoint open) =>
        open.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, open.Port) : open.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, open.Port) : open;

    private static Action<string> Waiting(ILoggerFactory logging) => problem => LogStorage(logging.CreateLogger<HeadquartersNode>(), problem);

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private static partial void LogStorage(ILogger log, string problem);

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private static partial void LogAuthority(ILogger log, string problem);

    // The youngest part first: faces close before what they show.
    private static async ValueTask Close(Stack<IAsyncDisposable> parts)
    {
        while (parts.TryPop(out var part))
            await part.DisposeAsync();
    }

    private sealed class Closing(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
