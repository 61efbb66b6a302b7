using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Messages.Transport;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.NatLab.Fleets;

/// <summary>The published programs as real processes: on the kernel lab's machines, or all on this one where namespaces are not to be had.</summary>
public sealed class ProcessFleet : IFleetUnderTest
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(40);
    // A wake-up may wait for the next periodic sync.
    private static readonly TimeSpan CommandPatience = TimeSpan.FromSeconds(60);

    private readonly KernelLab? _lab;
    private readonly LabPlan _plan;
    private readonly DirectoryInfo _scratch = Leftovers.MakeScratch();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LabProcess> _running = [];
    private readonly List<LabProcess> _all = [];
    private HttpClient? _api;
    private PrivatePostgres? _database;
    private string _databaseName = "";
    /// <summary>The data directory of the headquarters that took the first one's place; null: it is the first.</summary>
    private string? _restored;
    private FleetReader? _shown;

    private ProcessFleet(Topology topology, KernelLab? lab, LabPlan plan)
    {
        (Topology, _lab, _plan) = (topology, lab, plan);
        Operator = new CliOperator(Fleet, _scratch.FullName);
    }

    public Topology Topology { get; }

    public IOperator Operator { get; }

    /// <summary>More settings of headquarters, <c>key=value</c>; read when it starts.</summary>
    public IReadOnlyList<string> HeadquartersSettings { get; set; } = [];

    /// <summary>More settings of all nodes, <c>key=value</c>; read when they start.</summary>
    public IReadOnlyList<string> NodeSettings { get; set; } = [];

    public FleetReader Shown => _shown ?? throw new InvalidOperationException("headquarters has not been started");

    public string Agents => _plan.Agents;

    public string Link => _plan.Link;

    /// <summary>The same operator without a process a command, for what must be quick.</summary>
    public ApiOperator Api => new(() => _api ?? throw new InvalidOperationException("headquarters has not been started"));

    /// <summary>The machines in the offices' networks that nothing of the fleet runs on.</summary>
    public IReadOnlyList<LanHost> Hosts => _lab?.Hosts ?? [];

    /// <summary>The network as headquarters' machine sees it.</summary>
    public IByteNetwork HeadquartersNetwork => _plan.Headquarters.Network;

    public IByteNetwork NetworkOf(TopologyDevice device) => _plan.MachineOf(device).Network;

    /// <summary>The network as a node's machine sees it.</summary>
    public IByteNetwork NetworkOf(TopologyNode node) => _plan.MachineOf(node).Network;

    public TimeSpan CutLasts => TimeSpan.FromSeconds(60);

    public int Crowd => 400;

    public Task Pass(TimeSpan time)
    {
        var passing = Stopwatch.StartNew();
        return Until.True(() => passing.Elapsed >= time, $"{time.TotalSeconds:0} s pass", time + CommandPatience);
    }

    public string AdminTokenFile => Path.Combine(DataOf("headquarters"), "admin.token");

    /// <summary>Headquarters' console, as this machine's own browser reaches it.</summary>
    public string ConsoleAddress { get; private set; } = "";

    /// <summary>The fleet behind real translators.</summary>
    /// <exception cref="LabException">This machine can't.</exception>
    public static async Task<ProcessFleet> InKernelLab(Topology topology, Action<string> step)
    {
        Programs.Require();
        var lab = KernelLab.Build(topology);
        try
        {
            var walls = await Walls.Assert(lab).ConfigureAwait(false);
            step($"{walls.Count} walls and ways are as they should be");
            return new ProcessFleet(topology, lab, LabPlan.ForKernel(lab));
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }

    /// <summary>The fleet on loopback: no translators, no walls.</summary>
    public static ProcessFleet OnLoopback(Topology topology)
    {
        Programs.Require();
        Leftovers.Sweep();
        return new ProcessFleet(topology, null, LabPlan.ForLoopback(topology));
    }

    /// <summary>Headquarters' nodes: <c>headquarters</c>, <c>headquarters-2</c>….</summary>
    public IReadOnlyList<string> HeadquartersNodes => [.. _plan.HeadquartersNodes.Select(n => n.Name)];

    /// <summary>What headquarters nodes run that start from now on.</summary>
    public string HeadquartersProgram { get; set; } = Programs.Headquarters;

    public Task StartHeadquarters() => StartHeadquarters(HeadquartersNodes[0]);

    /// <summary>Starts one node of headquarters.</summary>
    public async Task StartHeadquarters(string name)
    {
        var machine = _plan.HeadquartersNodes.Single(n => n.Name == name);
        await Start(name, machine, "headquarters is ready", HeadquartersProgram,
            ["run", "--data", _restored ?? DataOf(name), .. _plan.HeadquartersSettings.Concat(HeadquartersSettings).Concat(await ClusterSettings(machine).ConfigureAwait(false)).SelectMany(Set)]).ConfigureAwait(false);
        if (_api is not null)
            return;
        if (!AdminToken.TryParse(await File.ReadAllTextAsync(AdminTokenFile).ConfigureAwait(false), out var token, out var problem))
            throw new LabException($"{AdminTokenFile}: {problem}");
        // Whoever asks must reach all of headquarters' nodes, also when one is cut off from the others.
        _api = PinnedApi.Client(_lab?.Database is { } elsewhere ? elsewhere : _plan.Headquarters.Network, _plan.Consoles, token);
        _shown = new FleetReader(_api);
        ConsoleAddress = _lab is null ? $"https://{_plan.Console}" : $"https://{_lab.OpenToHost()}:{_plan.Console.Split(':')[1]}";
    }

    public Task KillHeadquarters() => KillHeadquarters(HeadquartersNodes[0]);

    /// <inheritdoc cref="KillHeadquarters()"/>
    public Task KillHeadquarters(string name) => Kill(name);

    /// <summary>Lets one more node of headquarters join, as an administrator does, and starts it.</summary>
    public async Task JoinHeadquarters(string name)
    {
        var machine = _plan.HeadquartersNodes.Single(n => n.Name == name);
        using var invitation = JsonDocument.Parse(await Command("cluster", "join", "--json").ConfigureAwait(false));
        var (code, _, errors) = await Run(machine, HeadquartersProgram,
            ["join", "--data", DataOf(name), "--from", _plan.Console, "--invitation", invitation.RootElement.GetProperty("text").GetString()!]).ConfigureAwait(false);
        if (code != 0)
            throw new LabException($"{name} could not join ({code}): {errors}");
        await StartHeadquarters(name).ConfigureAwait(false);
    }

    /// <summary>Makes a headquarters of a backup, in a directory of its own; that is the one which starts next.</summary>
    /// <returns>What it said.</returns>
    /// <exception cref="LabException">It could not be made.</exception>
    public async Task<string> RestoreHeadquarters(string backup, string passphraseFile)
    {
        _restored = DataOf("headquarters-restored");
        var (code, output, errors) = await Run(_plan.Headquarters, Programs.Headquarters, ["restore", "--data", _restored, "--from", backup, "--passphrase-file", passphraseFile]).ConfigureAwait(false);
        return code == 0 ? output : throw new LabException($"headquarters could not be restored ({code}): {errors}{output}");
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task StopHeadquarters(string name)
    {
        LabProcess process;
        lock (_gate)
            process = _running[name];
        Shell.Run("kill", "-TERM", $"{process.Id}");
        await Until.True(() => process.Ended, $"{name} has ended", CommandPatience).ConfigureAwait(false);
        await Kill(name).ConfigureAwait(false);
    }

    /// <summary>Whether a node of headquarters ended by itself.</summary>
    public bool HasEnded(string name)
    {
        lock (_gate)
            return _running[name].Ended;
    }

    /// <summary>Drops all between one node of headquarters and the others, without a word; offices and database are still reached.</summary>
    public void CutOffHeadquarters(string name) =>
        _plan.HeadquartersNodes.Single(n => n.Name == name).Namespace!.Part(_plan.HeadquartersNodes.Where(n => n.Name != name).Select(n => n.Address));

    /// <summary>By which address the other headquarters nodes know it.</summary>
    public string ClusterAddressOf(string name) => $"{_plan.HeadquartersNodes.Single(n => n.Name == name).Address}:13002";

    public void RejoinHeadquarters(string name) => _plan.HeadquartersNodes.Single(n => n.Name == name).Namespace!.Rejoin();

    public async Task EnrolNode(TopologyNode node, string token)
    {
        string[] way = node.Dmz ? ["--listen", $"0.0.0.0:{LinkHocon.EdgePort}"]
            : node.Through is { } hop ? ["--server", _plan.GatewayOf(NodeOf(hop)), "--through", $"{NodeOf(hop).Address}:{LinkHocon.EdgePort}"]
            : ["--server", _plan.Agents, "--link", _plan.Link];
        var enrolling = Run(_plan.MachineOf(node), Programs.Office, ["enroll", "--data", DataOf(node.Id.Value), "--token", token, .. way, "--name", node.Id.Value.Split('.')[0]]);
        if (node.Dmz)
            await this.DialUntilTaken(node, enrolling).ConfigureAwait(false);
        var (code, _, errors) = await enrolling.ConfigureAwait(false);
        if (code != 0)
            throw new LabException($"office node {node.Id} could not enrol ({code}): {errors}");
    }

    public Task StartNode(TopologyNode node) => Start(node.Id.Value, _plan.MachineOf(node), $"office node {node.Id} is ready", Programs.Office,
        CommandOf(node));

    /// <summary>The same with a clock that is off.</summary>
    /// <inheritdoc cref="AtTime"/>
    public Task StartNodeAtTime(TopologyNode node, string offset) => StartOther(node.Id.Value, node, $"office node {node.Id} is ready", [.. AtTime(offset), Programs.Office, .. CommandOf(node)]);

    public Task KillNode(TopologyNode node) => Kill(node.Id.Value);

    public async Task<string?> EnrolDevice(TopologyDevice device, string token)
    {
        var gateways = Topology.Offices.Single(o => o.Id == device.Office).Nodes.SelectMany(n => new[] { "--gateway", _plan.GatewayOf(n) });
        var servers = device.GatewayOnly ? ["--gateway-only"] : new[] { "--server", _plan.Agents };
        var (code, _, errors) = await Run(_plan.MachineOf(device), Programs.Agent,
            ["enroll", "--data", DataOf(device.Name), "--token", token, "--name", device.Name, .. gateways, .. servers]).ConfigureAwait(false);
        return code == 0 ? null : errors;
    }

    public Task StartDevice(TopologyDevice device) =>
        Start(device.Name, _plan.MachineOf(device), "", Programs.Agent, ["run", "--data", DataOf(device.Name)]);

    /// <summary>The same with a clock that is off.</summary>
    /// <inheritdoc cref="AtTime"/>
    public Task StartDeviceAtTime(TopologyDevice device, string offset) => StartOtherAt(device.Name, device, "", [.. AtTime(offset), Programs.Agent, "run", "--data", DataOf(device.Name)]);

    public Task KillDevice(TopologyDevice device) => Kill(device.Name);

    public async Task<DeviceSelf?> SelfOf(TopologyDevice device)
    {
        // On this machine, whatever namespace the agent is in: it only reads files.
        var (code, output, _) = await LabProcess.Run($"agent show ({device.Name})", [Programs.Agent, "show", "--data", DataOf(device.Name), "--json"], CommandPatience).ConfigureAwait(false);
        if (code != 0)
            return null;
        using var json = JsonDocument.Parse(output);
        ulong Number(string name) => ulong.Parse(json.RootElement.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        return new DeviceSelf(json.RootElement.GetProperty("device").GetString()!, Number("desired-version"), Number("reported-version"), Number("acknowledged-version"),
            json.RootElement.GetProperty("reached-through").GetString()!);
    }

    public void ChangeStateOf(TopologyDevice device)
    {
        // A second address shows in the inventory.
        var machine = Lab.MachineOf(device);
        var address = device.Address.GetAddressBytes();
        address[3] += 100;
        if (machine.Ip("addr", "show", "dev", "eth0").Contains(new IPAddress(address).ToString(), StringComparison.Ordinal))
            machine.Ip("addr", "del", $"{new IPAddress(address)}/24", "dev", "eth0");
        else
            machine.Ip("addr", "add", $"{new IPAddress(address)}/24", "dev", "eth0");
    }

    public long PacketsToHeadquarters(TopologyDevice device) => CountedAt(device).ToPeer;

    public void CutUplink(OfficeId office) => Lab.CutUplink(office);

    public void HealUplink(OfficeId office) => Lab.HealUplink(office);

    /// <summary>Makes an office's line to the internet narrow: bytes a second, inward.</summary>
    public void LimitUplink(OfficeId office, int bytesPerSecond) => Lab.LimitUplink(office, bytesPerSecond);

    /// <summary>Bytes that TCP has brought into an office from the internet, without headers.</summary>
    public long CameInto(OfficeId office) => Lab.CameInto(office);

    /// <summary>Runs the <c>fleet</c> command on headquarters' machine, and answers what it prints.</summary>
    /// <exception cref="LabException">It failed.</exception>
    public async Task<string> Command(params IReadOnlyList<string> command)
    {
        var (code, output, errors) = await Fleet(command).ConfigureAwait(false);
        return code == 0 ? output : throw new LabException($"fleet {string.Join(' ', command)} failed ({code}): {errors}{output}");
    }

    /// <summary>Where headquarters, a node (by id) or a device (by name) keeps its data.</summary>
    public string DataOf(string name) => Path.Combine(_scratch.FullName, name);

    public void ForgetMappings(OfficeId office) => Lab.ForgetMappings(office);

    public void ChangeAddress(OfficeId office, IPAddress outside) => Lab.ChangeAddress(office, outside);

    public IReadOnlyList<string> Logged(string text)
    {
        lock (_gate)
            return [.. _all.SelectMany(p => p.Lines(text))];
    }

    public string Tails()
    {
        lock (_gate)
            return string.Join('\n', _running.Values.Select(p => p.Tail()));
    }

    /// <summary>What a node (by id) or device (by name) has printed, since its last start, that holds this text.</summary>
    public IReadOnlyList<string> LinesOf(string name, string text)
    {
        lock (_gate)
            return _running[name].Lines(text);
    }

    public PacketCounts CountedAt(TopologyDevice device) => Lab.MachineOf(device).Counted();

    public PacketCounts CountedAt(TopologyNode node) => Lab.MachineOf(node).Counted();

    /// <summary>Drops what enters and leaves a device's machine by a port, without a word.</summary>
    public void Block(TopologyDevice device, string protocol, int port) => Lab.MachineOf(device).Block(protocol, port);

    public void Unblock(TopologyDevice device) => Lab.MachineOf(device).Unblock();

    /// <summary>A UDP socket on a device's machine.</summary>
    public Socket DatagramSocketOf(TopologyDevice device) => Lab.MachineOf(device).OpenDatagramSocket();

    /// <summary>A UDP socket on a node's machine.</summary>
    public Socket DatagramSocketOf(TopologyNode node) => Lab.MachineOf(node).OpenDatagramSocket();

    /// <summary>SIGSTOP: the machine is there and answers, the agent does nothing.</summary>
    public void Freeze(TopologyDevice device) => Shell.Run("kill", "-STOP", $"{ProcessIdOf(device.Name)}");

    /// <summary>SIGCONT.</summary>
    public void Thaw(TopologyDevice device) => Shell.Run("kill", "-CONT", $"{ProcessIdOf(device.Name)}");

    /// <summary>Runs a program that is not of the fleet on headquarters' machine, or a node's, until the fleet ends.</summary>
    /// <param name="ready">What it prints once it serves.</param>
    /// <exception cref="LabException">It ended, or did not get ready in time.</exception>
    public Task StartOther(string name, TopologyNode? at, string ready, IReadOnlyList<string> command) =>
        Start(name, at is null ? _plan.Headquarters : _plan.MachineOf(at), ready, command[0], [.. command.Skip(1)]);

    /// <summary>The same on a device's machine.</summary>
    /// <inheritdoc cref="StartOther(string, TopologyNode, string, IReadOnlyList{string})"/>
    public Task StartOtherAt(string name, TopologyDevice at, string ready, IReadOnlyList<string> command) => Start(name, _plan.MachineOf(at), ready, command[0], [.. command.Skip(1)]);

    /// <summary>Runs a program that is not of the fleet on a device's machine, to its end.</summary>
    public Task<(int Code, string Output, string Errors)> RunAt(TopologyDevice at, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment) =>
        Run(_plan.MachineOf(at), command[0], [.. command.Skip(1)], environment);

    /// <summary>A machine more in the internet.</summary>
    public NetworkNamespace PlugIn(string name, IPAddress address) => Lab.PlugIn(name, address);

    /// <summary>A directory for what a program that is not of the fleet needs; gone with the fleet.</summary>
    public string ScratchOf(string name) => Directory.CreateDirectory(DataOf(name)).FullName;

    /// <summary>host:port of a node's gateway.</summary>
    public string GatewayOf(TopologyNode node) => _plan.GatewayOf(node);

    /// <summary>Process id of headquarters, a node (by id) or a device (by name).</summary>
    public int ProcessIdOf(string name)
    {
        lock (_gate)
            return _running[name].Id;
    }

    /// <summary>Stops the headquarters nodes' database, as an administrator does, until <see cref="RunDatabase"/>.</summary>
    public Task StopDatabase() => _database!.Stop();

    public Task RunDatabase() => _database!.Run();

    /// <summary>Processor time that the headquarters nodes' database has taken.</summary>
    public TimeSpan DatabaseProcessorTime => _database?.ProcessorTime ?? TimeSpan.Zero;

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            foreach (var process in _all)
                process.Dispose();
        }

        if (_database is not null)
            await _database.DisposeAsync().ConfigureAwait(false);

        _api?.Dispose();
        _lab?.Dispose();
        _scratch.Delete(recursive: true);
    }

    // One database for all of them, and one folder for updates.
    private async Task<IReadOnlyList<string>> ClusterSettings(LabMachine machine)
    {
        if (Topology.Database is not { } address)
            return [];
        if (_database is null)
        {
            _database = await PrivatePostgres.Start(durable: true, new PostgresPlace($"ip netns exec {Lab.Database!.Name} ", address)).ConfigureAwait(false);
            _databaseName = await _database.NewDatabase().ConfigureAwait(false);
        }

        return
        [
            "storage.provider=postgresql", $"storage.connection-string=\"{_databaseName}\"", $"updates.directory=\"{ScratchOf("updates")}\"",
            "cluster.bind=0.0.0.0", $"cluster.address=\"{machine.Address}:13002\"", $"cluster.seeds=[{string.Join(", ", _plan.HeadquartersNodes.Select(n => $"\"{n.Address}:13002\""))}]",
            $"links.address=\"{machine.Address}:13001\"",
        ];
    }

    private KernelLab Lab => _lab ?? throw new LabException("on loopback there is no network to make faults in");

    private string[] CommandOf(TopologyNode node) =>
        ["run", "--data", DataOf(node.Id.Value), .. _plan.SettingsOf(node).Concat(NodeSettings).Concat(node.Dmz ? ["office.links.dmz=on"] : []).SelectMany(Set)];

    /// <param name="offset">As Debian's <c>faketime</c> takes it, such as <c>+30d</c>: the time of day is off by so much, and goes on as ever.</param>
    private static string[] AtTime(string offset) =>
        ["env", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", $"FAKETIME={offset}", "DONT_FAKE_MONOTONIC=1"];

    private Task<(int Code, string Output, string Errors)> Fleet(IReadOnlyList<string> command) => Run(_plan.Headquarters, Programs.Fleet, command, new Dictionary<string, string>
    {
        ["FLEET_URL"] = $"https://{_plan.Console}",
        ["FLEET_TOKEN"] = File.ReadAllText(AdminTokenFile).Trim(),
    });

    private Task<(int Code, string Output, string Errors)> Run(
        LabMachine machine, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        LabProcess.Run($"{Path.GetFileName(program)} {arguments[0]} ({machine.Name})", machine.Wrap(MachineIdOf(machine), [program, .. arguments]), CommandPatience, environment);

    private async Task Start(string name, LabMachine machine, string ready, string program, IReadOnlyList<string> arguments)
    {
        var process = await LabProcess.Start(name, machine.Wrap(MachineIdOf(machine), [program, .. arguments]), ready, StartPatience).ConfigureAwait(false);
        lock (_gate)
        {
            _running[name] = process;
            _all.Add(process);
        }
    }

    private Task Kill(string name)
    {
        lock (_gate)
            if (_running.Remove(name, out var process))
                process.Kill();
        return Task.CompletedTask;
    }

    private TopologyNode NodeOf(NodeId id) => Topology.Nodes.Single(n => n.Id == id);

    private string MachineIdOf(LabMachine machine)
    {
        var file = Path.Combine(_scratch.FullName, machine.Name + ".machine-id");
        lock (_gate)
            if (!File.Exists(file))
                File.WriteAllText(file, Guid.NewGuid().ToString("N") + "\n");
        return file;
    }

    private static IEnumerable<string> Set(string setting) => ["--set", setting];
}
