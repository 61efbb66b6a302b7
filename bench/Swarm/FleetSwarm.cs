using System.Diagnostics;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Api;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.Swarm.Identities;
using Fleet.Swarm.Offices;
using Fleet.Swarm.Scenarios;

namespace Fleet.Swarm;

/// <summary>Offices with their devices in this process, all linked to one headquarters as real ones would be.</summary>
internal sealed class FleetSwarm : IAsyncDisposable
{
    /// <summary>Nodes that enrol at a time; each is a request to the API and a TLS connection.</summary>
    private const int EnrolledAtOnce = 16;

    private static readonly TimeSpan EnrolPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly IdentityFolder _folder;
    private readonly HeadquartersAddress _headquarters;
    private readonly SwarmOperator _operator;
    private readonly SwarmTools _tools;
    private readonly Wheel _wheel = new();
    private readonly List<SimOffice> _offices = [];
    private readonly List<SimOffice> _clones = [];
    private int _started;
    private int _startedClones;

    /// <param name="identities">The folder that keeps who was enrolled.</param>
    public FleetSwarm(string identities, HeadquartersAddress headquarters, SwarmOperator by, ISwarmWatch? watch = null)
    {
        (_folder, _headquarters, _operator) = (new IdentityFolder(identities), headquarters, by);
        var shipped = OfficeOptions.Load(null, []);
        _tools = new SwarmTools(new TcpNetwork(), headquarters.Links, shipped.Link, shipped.Relay, _wheel, new SwarmCounts(), watch);
    }

    public SwarmCounts Counts => _tools.Counts;

    public IReadOnlyList<SimOffice> Offices => _offices;

    /// <summary>How far this process is behind with what it should do.</summary>
    public TimeSpan Behind => _wheel.Behind;

    /// <summary>Enrols the nodes and devices that are not enrolled yet, in quiet, whatever the scenario; then makes the offices that there are not yet, which are not started.</summary>
    /// <param name="offices">All of them, with those that there are.</param>
    /// <param name="perOffice">Devices of each office, its node's own among them.</param>
    public async Task Populate(int offices, int perOffice, Scenario scenario, Action<string> step, CancellationToken stop)
    {
        var (began, nodes, saved) = (Stopwatch.StartNew(), 0, new SavedOffice[offices]);
        var some = new ParallelOptions { MaxDegreeOfParallelism = EnrolledAtOnce, CancellationToken = stop };
        await Parallel.ForAsync(_offices.Count, offices, some, async (number, cancellation) =>
        {
            var id = NameOf(number);
            if (_folder.Load(id.Value) is { } known)
            {
                saved[number] = known;
                return;
            }

            saved[number] = await EnrolNode(id, cancellation).ConfigureAwait(false);
            _folder.Save(id.Value, saved[number]);
            if (Interlocked.Increment(ref nodes) % 500 == 0)
                step($"{nodes} office nodes are enrolled");
        }).ConfigureAwait(false);
        if (nodes > 0)
            step($"{nodes} office nodes are enrolled, {nodes / began.Elapsed.TotalSeconds:0.0} a second");

        began.Restart();
        var joining = _tools with { Counts = new SwarmCounts(), Watch = null };
        var told = Stopwatch.StartNew();
        await Parallel.ForAsync(_offices.Count, offices, some, async (number, cancellation) =>
        {
            if (saved[number].Devices.Count >= perOffice)
                return;
            saved[number] = await EnrolDevices(NameOf(number), saved[number], perOffice, joining, cancellation).ConfigureAwait(false);
            if (told.Elapsed < TellEvery)
                return;
            told.Restart();
            step($"{joining.Counts[Count.Enrolled]} devices are enrolled, {joining.Counts[Count.Enrolled] / began.Elapsed.TotalSeconds:0} a second");
        }).ConfigureAwait(false);
        if (joining.Counts[Count.Enrolled] is var joined and > 0)
            step($"{joined} devices are enrolled, {joined / began.Elapsed.TotalSeconds:0} a second");

        var made = Enumerable.Range(_offices.Count, Math.Max(0, offices - _offices.Count)).Select(number => new SimOffice(NameOf(number), saved[number], scenario.Of(number, offices), _tools)).ToList();
        _offices.AddRange(made);
        // Clones have no devices: what is counted of devices is counted once.
        _clones.AddRange(made.Where(o => o.Behaviour.ClonedNode).Select(o => new SimOffice(o.Id, o.Save() with { Devices = [] }, Behaviour.Idle, _tools)));
    }

    /// <summary>Devices derive the keys that they share with headquarters. Each does it on its own processor; here, if not before, it is on that of the headquarters that is measured.</summary>
    public void DeriveKeys() => Parallel.ForEach(_offices, office => office.DeriveKeys());

    /// <summary>Starts all offices that are not started, spread over a time.</summary>
    public async Task Ramp(TimeSpan over, CancellationToken stop)
    {
        var (began, first) = (Stopwatch.StartNew(), _started);
        for (; _started < _offices.Count; _started++)
        {
            var due = over * ((double)(_started - first) / (_offices.Count - first));
            if (due > began.Elapsed)
                await Task.Delay(due - began.Elapsed, stop).ConfigureAwait(false);
            _offices[_started].Start();
        }

        for (; _startedClones < _clones.Count; _startedClones++)
            _clones[_startedClones].Start();
    }

    /// <summary>Keeps what the devices have applied, so that the next run begins where this one ends.</summary>
    public void Save()
    {
        foreach (var office in _offices)
            _folder.Save(office.Id.Value, office.Save());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var office in _offices.Concat(_clones))
            office.Stop();
        await _wheel.DisposeAsync().ConfigureAwait(false);
    }

    /// <exception cref="TimeoutException">It did not come to that.</exception>
    public static async Task Until(Func<bool> condition, string what, CancellationToken stop, TimeSpan? within = null)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > (within ?? EnrolPatience))
                throw new TimeoutException($"not within {(within ?? EnrolPatience).TotalSeconds:0} s: {what}");
            await Task.Delay(Look, stop).ConfigureAwait(false);
        }
    }

    /// <summary>The office with this number, from zero.</summary>
    public static OfficeId NameOf(int number) => new($"swarm-{number:00000}");

    private async Task<SavedOffice> EnrolNode(OfficeId id, CancellationToken stop)
    {
        await _operator.Ask(() => _operator.Does.AddOffice(id), stop).ConfigureAwait(false);
        var token = (CreatedToken?)null;
        await _operator.Ask(async () => token = await _operator.Does.CreateToken(id, "node", "1h", uses: 1).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (!JoinToken.TryParse(token!.Text, out var join, out var problem))
            throw new LabException(problem);
        var name = $"{id}-node";
        var pending = PendingEnrolment.Begin(join, JoinKind.Node, "node", new MadeUpMachine(name).Fingerprint, new Reach([], [_headquarters.Agents], GatewayOnly: false));
        var client = new EnrolmentClient(new TcpNetwork().Connect, DeviceOptions.Default, TimeProvider.System);
        if (await client.EnrolUntilAnswered(pending, (_, _) => { }, stop).ConfigureAwait(false) is not EnrolmentOutcome.Accepted { Reply: var reply })
            throw new LabException($"the node of {id} could not enrol");
        foreach (var role in new[] { "gateway", "push-server" })
            await _operator.Ask(() => _operator.Does.Assign(new NodeId(reply.Id), role), stop).ConfigureAwait(false);
        return new SavedOffice(reply.Id, pending.Key.PrivateKey, reply.CertificateChain[0].ToByteArray(), reply.CertificateChain[^1].ToByteArray(), reply.HeadquartersKey.ToByteArray(),
            [Newcomer.Fresh(reply.DeviceId, name, pending.Key.PrivateKey)]);
    }

    /// <summary>Devices join through the office's own gateway, and report.</summary>
    private async Task<SavedOffice> EnrolDevices(OfficeId id, SavedOffice saved, int perOffice, SwarmTools tools, CancellationToken stop)
    {
        var token = (CreatedToken?)null;
        await _operator.Ask(async () => token = await _operator.Does.CreateToken(id, "agent", "1h", perOffice - saved.Devices.Count).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (!JoinToken.TryParse(token!.Text, out var join, out var problem))
            throw new LabException(problem);
        var office = new SimOffice(id, saved, Behaviour.Idle, tools);
        try
        {
            office.Enrol(Enumerable.Range(saved.Devices.Count, perOffice - saved.Devices.Count).Select(n => new Newcomer($"{id}-d{n:000}", join)));
            office.Start();
            await Until(() => office.IsSettled, $"the devices of {id} have joined and reported", stop).ConfigureAwait(false);
        }
        finally
        {
            office.Stop();
        }

        saved = office.Save();
        if (saved.Devices.Count < perOffice)
            throw new LabException($"only {saved.Devices.Count} of {perOffice} devices of {id} could enrol");
        _folder.Save(id.Value, saved);
        return saved;
    }
}
