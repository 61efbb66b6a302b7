using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Headquarters;
using Fleet.Messages.Transport;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Simulation;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.Office.Identity;
using Fleet.TestSupport;
using OfficeOptions = Fleet.Office.OfficeOptions;

namespace Fleet.NatLab.Fleets;

/// <summary>
/// A whole fleet in this process: the product's own headquarters, office nodes and devices with the settings they ship with (but presence is told each
/// second, so that journeys need not wait for it, and the API may take long in a busy process), each on a machine of the simulated network. Virtual are the network and the clock that programs
/// read, which can leap; actors' timers run in real time.
/// </summary>
public sealed class SimFleet : IFleetUnderTest
{
    /// <summary>
    /// Each node has two actor systems with a clock of its own each, and .NET goes through all timers of a process that are due within a third of a second
    /// whenever one of them is: thousands of nodes in one process would do nothing else.
    /// </summary>
    private const int ManyNodes = 500;

    private static readonly Config CoarseClock = ConfigurationFactory.ParseString("akka.scheduler.tick-duration = 500ms");

    private const int Seed = 20260101;

    private const int PoolThreads = 64;

    /// <summary>Time leaps in steps after each of which every device that runs syncs and is answered, so that a long cut is lived through rather than skipped.</summary>
    private static readonly TimeSpan LongestLeap = TimeSpan.FromMinutes(1);

    private readonly LeapingClock _clock = new();
    private readonly LabLog _log = new();
    private readonly DirectoryInfo _scratch = Leftovers.MakeScratch();
    private readonly SimLab _lab;
    private readonly ConcurrentDictionary<NodeId, SimProgram> _nodes = new();
    private readonly Dictionary<string, SimAgent> _agents;
    private bool _shipped;
    private SimProgram? _headquarters;
    private HttpClient? _api;
    private FleetReader? _shown;

    private SimFleet(Topology topology)
    {
        // Each program would have a pool of its own, and an actor system blocks one of its threads while it starts.
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, PoolThreads), completions);
        _lab = new SimLab(topology, _clock, Seed);
        _agents = topology.Devices.ToDictionary(d => d.Name, d => new SimAgent(d, _lab.MachineOf(d), ReachOf(d), _clock, _log.Of(d.Name)));
        Operator = new ApiOperator(() => _api ?? throw new InvalidOperationException("headquarters has not been started"));
    }

    public Topology Topology => _lab.Topology;

    public IOperator Operator { get; }

    public FleetReader Shown => _shown ?? throw new InvalidOperationException("headquarters has not been started");

    public string Agents => $"{Topology.Headquarters}:13000";

    public string Link => $"{Topology.Headquarters}:13001";

    /// <summary>host:port of headquarters' push server.</summary>
    public string Lines => $"{Topology.Headquarters}:13295";

    public TimeSpan CutLasts => TimeSpan.FromMinutes(10);

    public int Crowd => 60;

    public string GatewayOf(TopologyNode node) => $"{node.Address}:13000";

    private string Console => $"{Topology.Headquarters}:8443";

    /// <summary>Builds the topology and tries its walls.</summary>
    /// <exception cref="LabException">A wall has a hole.</exception>
    /// <param name="shipped">Presence too is told as seldom as by the settings that programs ship with.</param>
    public static async Task<SimFleet> Build(Topology topology, Action<string> step, bool shipped = false)
    {
        var fleet = new SimFleet(topology) { _shipped = shipped };
        try
        {
            var walls = await Walls.Assert(fleet._lab).ConfigureAwait(false);
            step($"{walls.Count} walls and ways are as they should be");
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public IByteNetwork NetworkOf(TopologyDevice device) => _lab.MachineOf(device);

    /// <summary>The LAN of a node, for devices beside it.</summary>
    public IByteNetwork NetworkOf(TopologyNode node) => _lab.MachineOf(node);

    /// <summary>The gateway actor of a running node: devices in this process can do without a connection to it.</summary>
    public IActorRef GatewayActorOf(TopologyNode node) => ((OfficeNode)_nodes[node.Id].Parts[0]).Gateway;

    /// <summary>Packets that have come to headquarters from the whole fleet.</summary>
    public long PacketsAtHeadquarters => _lab.Headquarters.PacketsReceived;

    public async Task Pass(TimeSpan time)
    {
        while (time > TimeSpan.Zero)
        {
            var leap = time < LongestLeap ? time : LongestLeap;
            var syncing = _agents.Where(a => a.Value.Syncs).Select(a => (a.Key, Agent: a.Value, a.Value.Answers)).ToList();
            _clock.Leap(leap);
            foreach (var (name, agent, answers) in syncing)
                await Until.True(() => agent.Answers > answers, $"{name} is answered after a leap of time").ConfigureAwait(false);
            time -= leap;
        }
    }

    public async Task StartHeadquarters()
    {
        var process = new SimProcess(_lab.Headquarters);
        var options = HeadquartersOptions.Load(null, [$"offices.headquarters-addresses=[\"{Agents}\"]", $"offices.headquarters-push-addresses=[\"{Lines}\"]", $"offices.headquarters-update-addresses=[\"{Topology.Headquarters}:13443\"]", "web.settle-timeout=20s", "overload.put-off=off", .. Eager("links.presence-every=1s")]);
        var node = await HeadquartersNode.Start(DataOf("headquarters"), options, process, _clock, _log.Of("headquarters")).ConfigureAwait(false);
        _headquarters = new SimProgram(process, node);
        if (_api is not null)
            return;
        if (!AdminToken.TryParse(await File.ReadAllTextAsync(node.AdminTokenFile).ConfigureAwait(false), out var token, out var problem))
            throw new LabException(problem);
        _api = PinnedApi.Client(_lab.Headquarters, [Console], token);
        _shown = new FleetReader(_api);
    }

    public Task KillHeadquarters() => _headquarters!.Kill();

    public async Task EnrolNode(TopologyNode node, string token)
    {
        if (!JoinToken.TryParse(token, out var join, out var problem))
            throw new LabException(problem);
        using var data = DataDirectory.Open(DataOf(node.Id.Value), OfficeNode.DataKind);
        var (machine, fingerprint, name) = (_lab.MachineOf(node), new MadeUpMachine(node.Id.Value).Fingerprint, node.Id.Value.Split('.')[0]);
        EnrolmentOutcome outcome;
        if (node.Dmz)
        {
            var enrolling = new DialledEnrolment(machine, fingerprint, _clock).Enrol(new IPEndPoint(node.Address, LinkHocon.EdgePort), data, join, name, _ => { }, CancellationToken.None);
            await this.DialUntilTaken(node, enrolling).ConfigureAwait(false);
            outcome = await enrolling.ConfigureAwait(false);
        }
        else
        {
            var hop = Topology.Nodes.FirstOrDefault(n => n.Id == node.Through);
            var reach = hop is null ? new NodeReach([Agents], [Link], []) : new NodeReach([$"{hop.Address}:13000"], [], [$"{hop.Address}:{LinkHocon.EdgePort}"]);
            outcome = await new NodeEnrolment(new EnrolmentClient(machine.Connect, DeviceOptions.Default, _clock), fingerprint)
                .Enrol(data, join, name, reach, CancellationToken.None).ConfigureAwait(false);
        }

        if (outcome is not EnrolmentOutcome.Accepted)
            throw new LabException($"office node {node.Id} could not enrol: {outcome}");
    }

    public async Task StartNode(TopologyNode node)
    {
        var process = new SimProcess(_lab.MachineOf(node));
        var data = DataDirectory.Open(DataOf(node.Id.Value), OfficeNode.DataKind);
        var options = OfficeOptions.Load(null,
            [$"gateway.bind={node.Address}", $"push.bind={node.Address}", $"distribution.bind={node.Address}", $"office.links.bind={node.Address}", $"office.links.dmz={(node.Dmz ? "on" : "off")}", .. Eager("office.relay.presence-interval=1s")]);
        if (Topology.Nodes.Count() > ManyNodes)
            options = options with { All = CoarseClock.WithFallback(options.All) };
        var running = await OfficeNode.Start(new OfficeSetup(options, data, _clock, _log.Of(node.Id.Value), process, new MadeUpMachine(node.Id.Value))).ConfigureAwait(false);
        _nodes[node.Id] = new SimProgram(process, running, new Closing(data));
    }

    public async Task KillNode(TopologyNode node)
    {
        if (_nodes.TryRemove(node.Id, out var running))
            await running.Kill().ConfigureAwait(false);
    }

    public Task<string?> EnrolDevice(TopologyDevice device, string token) => _agents[device.Name].Enrol(token);

    public Task StartDevice(TopologyDevice device)
    {
        _agents[device.Name].Start();
        return Task.CompletedTask;
    }

    public Task KillDevice(TopologyDevice device) => _agents[device.Name].Kill();

    public Task<DeviceSelf?> SelfOf(TopologyDevice device) => Task.FromResult(_agents[device.Name].Self());

    public void ChangeStateOf(TopologyDevice device) => _agents[device.Name].ChangeMachine();

    public long PacketsToHeadquarters(TopologyDevice device) => _lab.MachineOf(device).PacketsTo(Topology.Headquarters);

    public void CutUplink(OfficeId office) => _lab.UplinkOf(office).Cut = true;

    public void HealUplink(OfficeId office) => _lab.UplinkOf(office).Cut = false;

    public void ForgetMappings(OfficeId office) => _lab.UplinkOf(office).ForgetMappings();

    public void ChangeAddress(OfficeId office, IPAddress outside) => _lab.UplinkOf(office).Rebind(outside.ToString());

    public IReadOnlyList<string> Logged(string text) => _log.Lines(text);

    public string Tails() => _log.Tail();

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
            await agent.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_nodes.Values.Append(_headquarters).OfType<SimProgram>().Select(p => p.Kill())).ConfigureAwait(false);
        _api?.Dispose();
        _scratch.Delete(recursive: true);
    }

    private Reach ReachOf(TopologyDevice device) => new(
        [.. Topology.Offices.Single(o => o.Id == device.Office).Nodes.Select(n => $"{n.Address}:13000")], device.GatewayOnly ? [] : [Agents], device.GatewayOnly);

    private IReadOnlyList<string> Eager(string setting) => _shipped ? [] : [setting];

    private string DataOf(string name) => Path.Combine(_scratch.FullName, name);

    private sealed class Closing(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
