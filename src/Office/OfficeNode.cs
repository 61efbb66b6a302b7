using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Inventory;
using Fleet.Device.Storage;
using Fleet.Gateway;
using Fleet.Gateway.Monitoring;
using Fleet.Messages.Link;
using Fleet.Messages.Log;
using Fleet.Messages.Transport;
using Fleet.Office.Discovery;
using Fleet.Office.Identity;
using Fleet.Office.Link;
using Fleet.Office.Monitoring;
using Fleet.Office.Outbox;
using Fleet.Office.Passing;
using Fleet.Office.Roles;
using Microsoft.Extensions.Logging;

namespace Fleet.Office;

/// <param name="Data">The open data directory of an enrolled node; stays its opener's to close.</param>
/// <param name="Network">Null: the machine's own sockets. Labs run many nodes in one process on simulated networks.</param>
/// <param name="Machine">Null: the machine this process runs on.</param>
/// <param name="PollMethods">Null: those that look at this machine's network; on a simulated network none do.</param>
public sealed record OfficeSetup(
    OfficeOptions Options,
    DataDirectory Data,
    TimeProvider Clock,
    ILoggerFactory Logging,
    IByteNetwork? Network = null,
    IMachine? Machine = null,
    IReadOnlyDictionary<PollMethod, IPollMethod>? PollMethods = null);

/// <summary>One running office node. A new object on the same directory is a restart of the node.</summary>
public sealed class OfficeNode : IAsyncDisposable
{
    /// <summary>The kind in the data directory's marker.</summary>
    public const string DataKind = "office";

    /// <summary>Where a node's own machine keeps itself as a device.</summary>
    internal const string DeviceFolder = "device";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly ActorSystem _system;
    private readonly IActorRef _office;
    private readonly OfficeParts _parts;
    private readonly DeviceDirectory _deviceFiles;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _linked;
    private readonly Task _device;
    private readonly MonitoringFace? _monitoring;

    private OfficeNode(ActorSystem system, IActorRef office, IActorRef gateway, OfficeParts parts, DeviceDirectory deviceFiles, OwnDevice device, TaskCompletionSource linked, MonitoringFace? monitoring)
    {
        (_system, _office, Gateway, _parts, _deviceFiles, _linked, _monitoring) = (system, office, gateway, parts, deviceFiles, linked, monitoring);
        _device = Task.Run(() => device.Run(_stop.Token));
    }

    public static string Version { get; } = typeof(OfficeNode).Assembly.GetName().Version!.ToString(fieldCount: 3);

    public NodeId Node => _parts.Node;

    /// <summary>The node's <see cref="GatewayActor"/>, also while it has no port open: for devices in the same process.</summary>
    public IActorRef Gateway { get; }

    /// <summary>Where metrics and health are read; null: nowhere.</summary>
    public System.Net.IPEndPoint? Monitoring => _monitoring?.Local;

    /// <summary>Done when headquarters has let the node in for the first time.</summary>
    public Task Linked => _linked.Task;

    /// <exception cref="StorageException">Not enrolled, or a file is damaged or of a newer version.</exception>
    public static async Task<OfficeNode> Start(OfficeSetup setup)
    {
        var identity = NodeIdentity.Load(setup.Data) ?? throw new StorageException($"{setup.Data.Path} holds no enrolled office node; run 'office enroll' first");
        var (options, node) = (setup.Options, identity.NodeId);
        var opened = new Stack<IDisposable>();
        ActorSystem? system = null;
        try
        {
            var deviceFiles = Kept(opened, OpenDevice(setup.Data));
            var credentials = new NodeCredentials(setup.Data, identity, setup.Clock);
            var linked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var network = setup.Network ?? new TcpNetwork();
            var ways = new HeadquartersWays(node, identity.Link, [.. options.Links.Through, .. identity.Through ?? []], options.Links.Dmz, credentials, network);
            OwnDevice? device = null;
            var parts = new OfficeParts(node, Version, options, setup.Data, credentials,
                Kept(opened, new OutboxFile(setup.Data.PathOf("outbox.db"), options.Outbox, setup.Clock)),
                Kept(opened, new GatewayFile(setup.Data.PathOf("gateway.db"))),
                new RolePorts(),
                new LinkSystemFactory(options, ways, node, credentials, network, setup.Logging),
                new LinkPortSetup(node, options.Links, credentials, ways, network, options.Link.ConnectTimeout, setup.Clock, setup.Logging.CreateLogger<LinkPort>()),
                Kept(opened, new OfficeMeter()),
                setup.Network, setup.PollMethods ?? OwnPollMethods(setup), setup.Clock, setup.Logging,
                Linked: () =>
                {
                    linked.TrySetResult();
                    Volatile.Read(ref device)?.SyncSoon();
                },
                Wake: wake => Volatile.Read(ref device)?.Wake(wake.Signal.Span, wake.Trace ?? ""));
            system = ActorSystem.Create("node", ActorSystemSetup.Create(
                BootstrapSetup.Create().WithConfig(options.All.WithFallback(ActorLog.Hocon(options.Log.Level)).WithFallback(NodeHocon.Common)), new ActorLogSetup(setup.Logging)));
            var office = system.ActorOf(OfficeActor.Props(parts), "office");
            var gateway = await office.Ask<IActorRef>(new OfficeActor.GetGateway(), StartTimeout);
            var (meter, alive) = (parts.Meter, system);
            var monitoring = await MonitoringFace.Start(new MonitoringSetup(options.Monitoring, "fleet-office", Version, node.Value, meter,
                Live: [new("actor-system", () => alive.WhenTerminated.IsCompleted ? Health.Failed("the node's actor system has ended") : Health.Fine)],
                Ready: [new("link", () => meter.Link), new("storage", () => meter.Storage)],
                setup.Logging, setup.Network)
            { Traces = options.Traces });
            Volatile.Write(ref device, new OwnDevice(deviceFiles, gateway, options.Gateway, setup.Machine ?? new LocalMachine(Version), network.Connect, node, Version, setup.Clock,
                setup.Logging.CreateLogger<OwnDevice>()));
            return new OfficeNode(system, office, gateway, parts, deviceFiles, device, linked, monitoring);
        }
        catch
        {
            // Who uses the files goes before them.
            if (system is not null)
                await system.Terminate();
            while (opened.TryPop(out var file))
                file.Dispose();
            throw;
        }
    }

    internal static DeviceDirectory OpenDevice(DataDirectory data) => DeviceDirectory.Open(data.PathOf(DeviceFolder));

    public async ValueTask DisposeAsync()
    {
        if (_monitoring is not null)
            await _monitoring.DisposeAsync();
        await _stop.CancelAsync();
        await _device;
        // The office first: its link says goodbye while there is still one.
        await _office.GracefulStop(StartTimeout);
        await _parts.LinkSystems.DisposeAsync();
        await _parts.Ports.DisposeAsync();
        await _system.Terminate();
        _parts.Outbox.Dispose();
        _parts.GatewayFile.Dispose();
        _parts.Meter.Dispose();
        _deviceFiles.Dispose();
        _stop.Dispose();
    }

    private static IReadOnlyDictionary<PollMethod, IPollMethod> OwnPollMethods(OfficeSetup setup) =>
        setup.Network is null ? PollMethods.OfThisMachine(setup.Options.Discovery) : new Dictionary<PollMethod, IPollMethod>();

    private static T Kept<T>(Stack<IDisposable> files, T file)
        where T : IDisposable
    {
        files.Push(file);
        return file;
    }
}
