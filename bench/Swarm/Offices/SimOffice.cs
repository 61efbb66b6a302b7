using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.Swarm.Identities;
using Fleet.Swarm.Scenarios;
using Fleet.Swarm.Wire;
using Google.Protobuf;

namespace Fleet.Swarm.Offices;

/// <summary>
/// An office as headquarters sees it: one node that keeps its link by the rules of the product's HqLink and Relay, and the devices behind it, without
/// their processes. Life: Dial → Hello → Welcome → Announce → frames, until the lease runs out or somebody ends it; then a wait and the next dial.
/// </summary>
internal sealed class SimOffice
{
    /// <summary>Akka at headquarters drops what is sent to an address for a second after a connection to it ended.</summary>
    private static readonly TimeSpan Gate = TimeSpan.FromMilliseconds(1100);

    /// <summary>Enrolments in one frame; each is a signature of headquarters' CA.</summary>
    private const int EnrolmentsAtOnce = 10;

    private const int HellosInFlood = 50;

    private readonly Lock _gate = new();
    private readonly SwarmTools _tools;
    private readonly SavedOffice _saved;
    private readonly Behaviour _behaviour;
    private readonly IByteNetwork _network;
    private readonly RawNode _node;
    private readonly Backoff _backoff;
    private readonly DateTimeOffset _startedAt = DateTimeOffset.UtcNow;
    private readonly string _incarnation = Guid.NewGuid().ToString("n");
    private readonly Dictionary<DeviceId, SimDevice> _devices;
    private readonly List<SimDevice> _order;
    private readonly Queue<IUpItem> _outbox = new();
    private readonly Queue<Newcomer> _newcomers = new();
    private readonly Dictionary<string, Newcomer> _enrolling = [];
    private readonly Dictionary<ulong, long> _underWay = [];
    private NodeReport _report;
    private RawLink? _link;
    private Welcome? _welcome;
    private string _peer = "";
    private int _turn;
    private int _greeting;
    private int _failures;
    private bool _running;
    private TimeSpan _returnWithin;
    private LinkPatience? _patience;
    private long? _helloAt;
    private long _welcomedAt;
    private ulong _pings;
    private ulong _frames;
    private int _nextSeen;
    private double _seenDue;
    private int _lines;
    private TimeSpan _syncInterval = TimeSpan.FromMinutes(15);

    public SimOffice(OfficeId id, SavedOffice saved, Behaviour behaviour, SwarmTools tools)
    {
        _behaviour = behaviour;
        _network = behaviour.ReadsPerSecond > 0 || behaviour.NatForgets > 0
            ? new ShapedNetwork(tools.Network, behaviour.ReadsPerSecond, TimeSpan.FromSeconds(behaviour.NatForgets))
            : tools.Network;
        (Id, Node, _saved, _tools, _backoff) = (id, new NodeId(saved.Node), saved, tools, new Backoff(tools.Link.MinBackoff));
        var certificate = new DeviceKey(1, saved.NodeKey, saved.Certificate, null).ForTls();
        var trust = new PeerTrust(X509CertificateLoader.LoadCertificate(saved.Authority), TimeProvider.System, PeerTrust.FieldTolerance);
        _node = new RawNode(PeerIdentity.Of(Node).LogicalHost, new LinkTls(() => certificate, trust, (peer, _) => peer.Kind == PeerKind.Headquarters ? null : $"{peer} is not headquarters"));
        _report = Reported(new NodeReport(0, [], [], "0.1.0", saved.Node, _startedAt, [], [], [], "directly", [], null), saved.Applied, saved.Roles ?? []);
        _devices = saved.Devices.Select(d => new SimDevice(d)).ToDictionary(d => d.Id);
        _order = [.. _devices.Values];
        tools.Counts.Add(Count.Devices, _devices.Count);
    }

    public OfficeId Id { get; }

    public Behaviour Behaviour => _behaviour;

    public NodeId Node { get; }

    public bool IsLinked
    {
        get
        {
            lock (_gate)
                return _welcome is not null;
        }
    }

    /// <summary>Every newcomer has an answer, and headquarters has every device's newest report.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_gate)
                return _welcome is not null && _newcomers.Count == 0 && _enrolling.Count == 0 && _outbox.Count == 0 && _devices.Values.All(d => d.Reported > 0 && d.Stored == d.Reported);
        }
    }

    /// <summary>It is linked, and headquarters has stored all that it sent.</summary>
    public bool HasToldAll
    {
        get
        {
            lock (_gate)
                return _welcome is not null && _outbox.Count == 0 && _underWay.Count == 0;
        }
    }

    public int Devices
    {
        get
        {
            lock (_gate)
                return _devices.Count;
        }
    }

    /// <summary>What is to be kept of it.</summary>
    public SavedOffice Save()
    {
        lock (_gate)
            return _saved with { Devices = [.. _devices.Values.Select(d => d.Saved)], Applied = _report.AppliedVersion, Roles = _report.Roles };
    }

    /// <summary>Its devices derive the keys that they share with headquarters.</summary>
    public void DeriveKeys()
    {
        lock (_gate)
            foreach (var device in _order)
                device.DeriveKeys(_saved.HeadquartersKey);
    }

    /// <summary>Begins to dial.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _running = true;
            Dial();
        }
    }

    /// <summary>Says goodbye and stays away.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _running = false;
            if (_welcome is { } welcome)
                Send(new Goodbye(welcome.Epoch, "the node stops"));
            _link?.Part();
            Down();
        }
    }

    /// <summary>The uplink is gone for a while; then the node dials by its own rules.</summary>
    public void Cut(TimeSpan lasting)
    {
        lock (_gate)
            if (_running)
                Lose(lasting + NextBackoff());
    }

    /// <summary>Devices join through this office's gateway.</summary>
    public void Enrol(IEnumerable<Newcomer> newcomers)
    {
        lock (_gate)
        {
            foreach (var newcomer in newcomers)
                _newcomers.Enqueue(newcomer);
            Pump();
        }
    }

    /// <summary>Something changes on this many of its devices, picked at random.</summary>
    public void Change(int devices)
    {
        lock (_gate)
        {
            if (_devices.Count == 0)
                return;
            for (var i = 0; i < devices; i++)
            {
                var device = _order[Random.Shared.Next(_order.Count)];
                device.Change();
                Report(device);
            }

            Pump();
        }
    }

    /// <summary>One of its devices is elsewhere today: what it would hand to the gateway there. Null: it has none.</summary>
    /// <param name="through">The node there.</param>
    public DeviceEnvelopeUp? Roam(NodeId through)
    {
        lock (_gate)
        {
            if (_order.Count == 0)
                return null;
            var device = _order[Random.Shared.Next(_order.Count)];
            device.Change();
            _tools.Counts.Add(Count.Reports);
            device.SentAt = Now;
            return new DeviceEnvelopeUp(device.Id, device.Report(through, _saved.HeadquartersKey), Id);
        }
    }

    /// <summary>Takes what a device of another office hands to the gateway here.</summary>
    public void Carry(DeviceEnvelopeUp report)
    {
        lock (_gate)
        {
            if (_welcome is null)
                return;
            _outbox.Enqueue(report);
            Pump();
        }
    }

    /// <summary>Another machine reports with the identity of one of its devices.</summary>
    public void ReportClone()
    {
        lock (_gate)
        {
            if (_welcome is null || _order.Count == 0)
                return;
            var device = _order[Random.Shared.Next(_order.Count)];
            _outbox.Enqueue(new DeviceEnvelopeUp(device.Id, new SimDevice(device.Saved).Report(Node, _saved.HeadquartersKey, machine: new MadeUpMachine($"clone of {device.Name}").Fingerprint), Id));
            _tools.Counts.Add(Count.Hostile);
            Pump();
        }
    }

    /// <summary>Does what no node of the product would.</summary>
    public void Misbehave(Hostility how)
    {
        lock (_gate)
        {
            if (_link is not { } link || _welcome is not { } welcome)
                return;
            _tools.Counts.Add(Count.Hostile);
            switch (how)
            {
                case Hostility.MalformedFrames:
                    var bytes = new byte[64];
                    Random.Shared.NextBytes(bytes);
                    link.Send(ByteString.CopyFrom(bytes));
                    break;
                case Hostility.OldEpochs:
                    Send(new UpFrame("an epoch that is over", 1, []));
                    break;
                case Hostility.OversizedAnnounce:
                    Send(new Announce(welcome.Epoch, _report, [.. Enumerable.Range(0, Announce.MaxHeld + 1).Select(n => new HeldDesired(new DeviceId($"d{n}"), 1))], Last: true));
                    break;
                case Hostility.HelloFlood:
                    for (var i = 0; i < HellosInFlood; i++)
                        SayHello(link);
                    break;
                default:
                    throw new NotSupportedException($"{how} is no hostility");
            }
        }
    }

    // ---- The link's life ----

    private void Dial()
    {
        var turn = ++_turn;
        _ = Task.Run(() => Dial(turn));
    }

    private async Task Dial(int turn)
    {
        using var patience = new CancellationTokenSource(_tools.Link.ConnectTimeout);
        try
        {
            var link = await RawLink.Open(_network, _tools.Address, _node, _tools.Limits, Hear, patience.Token).ConfigureAwait(false);
            lock (_gate)
            {
                if (!_running || turn != _turn)
                {
                    link.Abort();
                    return;
                }

                _link = link;
                Greet();
                _tools.Wheel.In(SwarmTools.HeartbeatEvery, () => If(turn, () => Beat(turn)));
            }

            await link.Over.ConfigureAwait(false);
            If(turn, () => Lose());
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            _tools.Counts.Add(Count.Unreached);
            If(turn, () => Wait(Gate + NextBackoff()));
        }
    }

    private void Greet()
    {
        var (turn, greeting) = (_turn, ++_greeting);
        SayHello(_link!);
        _tools.Counts.Add(Count.Up);
        _tools.Wheel.In(_tools.Link.ConnectTimeout * 2, () => If(turn, () =>
        {
            if (_welcome is null && greeting == _greeting)
                Lose();
        }));
    }

    private void SayHello(RawLink link)
    {
        _helloAt = Now;
        link.Hello(new Hello(Node, Hello.CurrentProtocol, "0.1.0", _incarnation, DateTimeOffset.UtcNow));
    }

    // It keeps its connection: asking again costs one message, a new one a handshake.
    private void GreetAgain(TimeSpan wait)
    {
        var turn = _turn;
        _greeting++;
        _tools.Wheel.In(wait, () => If(turn, Greet));
    }

    private void Hear(RawLink link, object message, string sender)
    {
        _tools.Counts.Add(Count.Down);
        lock (_gate)
        {
            if (link != _link)
                return;
            switch (message)
            {
                case Welcome welcome when welcome.Epoch != _welcome?.Epoch:
                    Enter(welcome, sender);
                    break;
                case NotWelcome refused:
                    _tools.Counts.Add(Count.NotWelcome);
                    GreetAgain(RetryAfter.Read(refused.RetryAfter) ?? NextBackoff());
                    break;
                case Pong pong when pong.Epoch == _welcome?.Epoch:
                    _patience!.Heard();
                    _returnWithin = RetryAfter.Read(pong.ReturnWithin) ?? TimeSpan.Zero;
                    if (TimeProvider.System.GetElapsedTime(_welcomedAt) > _welcome.LeaseFor)
                        _failures = 0;
                    break;
                case UpFrameStored stored when stored.Epoch == _welcome?.Epoch:
                    _underWay.Remove(stored.Number);
                    _tools.Counts.Add(Count.FramesStored);
                    Pump();
                    break;
                case DownFrame down when down.Epoch == _welcome?.Epoch && _behaviour.AnswersAfter > 0:
                    var turn = _turn;
                    _tools.Wheel.In(TimeSpan.FromSeconds(_behaviour.AnswersAfter), () => If(turn, () => Take(down.Items)));
                    break;
                case DownFrame down when down.Epoch == _welcome?.Epoch:
                    Take(down.Items);
                    break;
                case Goodbye bye when bye.Epoch == _welcome?.Epoch:
                    Lose();
                    break;
            }
        }
    }

    private void Enter(Welcome welcome, string sender)
    {
        if (_welcome is null)
            _tools.Counts.Add(Count.Links);
        (_welcome, _peer, _welcomedAt, _returnWithin) = (welcome, sender, Now, RetryAfter.Read(welcome.ReturnWithin) ?? TimeSpan.Zero);
        _patience = new LinkPatience(welcome.LeaseFor, welcome.PingEvery, _helloAt is { } said ? TimeProvider.System.GetElapsedTime(said) : TimeSpan.Zero, TimeProvider.System);
        _helloAt = null;
        (_frames, _seenDue) = (0, 0);
        _underWay.Clear();
        _outbox.Clear();
        foreach (var device in _devices.Values)
            (device.SentAt, device.AskedFor) = (0, 0);
        // Carried, not kept: asked again in the new epoch.
        foreach (var asked in _enrolling.Values)
            _newcomers.Enqueue(asked);
        _enrolling.Clear();
        _tools.Counts.Add(Count.Linked);

        var held = _devices.Values.Select(d => new HeldDesired(d.Id, d.Applied)).Chunk(Announce.MaxHeld).DefaultIfEmpty([]).ToList();
        for (var part = 0; part < held.Count; part++)
            Send(new Announce(welcome.Epoch, _report, held[part], Last: part == held.Count - 1));
        SetLines(0);
        var lines = _devices.Values.Where(d => d.KeepsLine).Select(d => LineOf(d)).ToList();
        SetLines(lines.Count);
        foreach (var part in lines.Chunk(UpFrame.MaxItems))
            _outbox.Enqueue(new LinesDigest(part));
        Pump();
        var turn = _turn;
        Ping(turn, welcome.Epoch);
        JudgeSilence(turn, welcome.Epoch);
        _tools.Wheel.In(_tools.Relay.PresenceInterval * Random.Shared.NextDouble(), () => If(turn, () => TellSeen(turn, welcome.Epoch)));
    }

    private void Ping(int turn, string epoch)
    {
        if (_welcome?.Epoch != epoch)
            return;
        Send(new Ping(epoch, ++_pings));
        _tools.Wheel.In(_welcome.PingEvery, () => If(turn, () => Ping(turn, epoch)));
    }

    private void JudgeSilence(int turn, string epoch)
    {
        if (_welcome?.Epoch != epoch)
            return;
        if (_patience!.IsOver())
            Lose();
        else
            _tools.Wheel.In(_patience.Left, () => If(turn, () => JudgeSilence(turn, epoch)));
    }

    private void Beat(int turn)
    {
        _link?.Heartbeat();
        _tools.Wheel.In(SwarmTools.HeartbeatEvery, () => If(turn, () => Beat(turn)));
    }

    /// <param name="wait">As headquarters named it; null: by the node's own rule.</param>
    private void Lose(TimeSpan? wait = null)
    {
        if (_welcome is not null)
            _tools.Counts.Add(Count.Lost);
        _link?.Abort();
        Down();
        if (_running)
            Wait(wait ?? Gate + NextBackoff());
    }

    private void Down()
    {
        _turn++;
        if (_welcome is not null)
            _tools.Counts.Add(Count.Links, -1);
        SetLines(0);
        (_link, _welcome, _peer) = (null, null, "");
    }

    private void Wait(TimeSpan wait)
    {
        var turn = ++_turn;
        _tools.Wheel.In(wait, () => If(turn, Dial));
    }

    private TimeSpan NextBackoff() => _backoff.AfterFailures(++_failures, _tools.Link.MaxBackoff, _returnWithin, Random.Shared);

    /// <summary>Acts where nothing else has happened to the link meanwhile.</summary>
    private void If(int turn, Action act)
    {
        lock (_gate)
            if (_running && turn == _turn)
                act();
    }

    // ---- What goes up ----

    private void Send(ILinkMessage message)
    {
        _link!.Tell(_peer, message);
        _tools.Counts.Add(Count.Up);
    }

    /// <summary>Sends what waits, within the window.</summary>
    private void Pump()
    {
        if (_welcome is not { } welcome)
            return;
        while (_enrolling.Count < EnrolmentsAtOnce && _newcomers.TryDequeue(out var newcomer))
        {
            _enrolling[newcomer.Name] = newcomer;
            _outbox.Enqueue(new EnrolmentUp(newcomer.Name, newcomer.Request().ToByteArray()));
        }

        while (_outbox.Count > 0 && _underWay.Count < _tools.Relay.Window)
        {
            var (items, bytes) = (new List<IUpItem>(), 0);
            while (items.Count < _tools.Relay.FrameItems && bytes < _tools.Relay.FrameBytes && _outbox.TryDequeue(out var item))
            {
                items.Add(item);
                bytes += SizeOf(item);
            }

            _underWay[++_frames] = Now;
            Send(new UpFrame(welcome.Epoch, _frames, items));
        }
    }

    private void Report(SimDevice device)
    {
        if (_welcome is null)
            return;
        device.SentAt = Now;
        _outbox.Enqueue(new DeviceEnvelopeUp(device.Id, device.Report(Node, _saved.HeadquartersKey), Id));
        _tools.Counts.Add(Count.Reports);
    }

    /// <summary>Each device syncs once an interval, one after the other; the gateway tells of those that did.</summary>
    private void TellSeen(int turn, string epoch)
    {
        if (_welcome?.Epoch != epoch)
            return;
        _seenDue += _devices.Count * (_tools.Relay.PresenceInterval / _syncInterval);
        var seen = new List<DeviceSeen>();
        for (; _seenDue >= 1 && _devices.Count > 0; _seenDue--)
            seen.Add(new DeviceSeen(_order[_nextSeen++ % _order.Count].Id, DateTimeOffset.UtcNow));
        if (seen.Count > 0)
            _outbox.Enqueue(new PresenceDigest(seen));
        Pump();
        _tools.Wheel.In(_tools.Relay.PresenceInterval, () => If(turn, () => TellSeen(turn, epoch)));
    }

    // ---- What comes down ----

    private void Take(IReadOnlyList<IDownItem> items)
    {
        var (wakes, lines) = (0, new List<DeviceLine>());
        foreach (var item in items)
            switch (item)
            {
                case NodeDesired desired:
                    Obey(desired);
                    break;
                case DeviceState state when _devices.TryGetValue(state.DeviceId, out var device):
                    _syncInterval = state.SyncInterval;
                    if (device.Knows(state.ReportedVersion))
                        _tools.Counts.Add(Count.ReportsStored);
                    // Its next sync would ask for it.
                    if (state.DesiredVersion > device.Applied && device.AskedFor != state.DesiredVersion)
                    {
                        device.AskedFor = state.DesiredVersion;
                        _outbox.Enqueue(new DesiredWanted(device.Id, device.Applied, Id));
                    }

                    // New, or not stored when the epoch before ended.
                    if (device.Reported == 0 || (device.Reported > device.Stored && device.SentAt == 0))
                        Report(device);
                    break;
                case DeviceEnvelopeDown down when _devices.TryGetValue(down.DeviceId, out var device):
                    Obey(device, down.Envelope, lines);
                    break;
                case WakeDevice wake when _devices.TryGetValue(wake.DeviceId, out var device):
                    wakes++;
                    Wake(device, wake);
                    break;
                case EnrolmentDown answer when _enrolling.Remove(answer.RequestId, out var newcomer):
                    Join(newcomer, EnrolReply.Parser.ParseFrom(answer.Reply.Span));
                    break;
            }

        if (lines.Count > 0)
        {
            SetLines(_devices.Values.Count(d => d.KeepsLine));
            foreach (var part in lines.Chunk(UpFrame.MaxItems))
                _outbox.Enqueue(new LinesDigest(part));
        }

        if (wakes > 0)
            _tools.Watch?.Woken(this, wakes);
        Pump();
    }

    private void Obey(NodeDesired desired)
    {
        var report = Reported(_report, desired.Version, desired.Roles);
        if (report.AppliedVersion == _report.AppliedVersion)
            return;
        _report = report;
        _outbox.Enqueue(report);
    }

    private static NodeReport Reported(NodeReport before, ulong applied, IReadOnlyList<NodeRole> roles)
    {
        IReadOnlyList<string> At(NodeRole role) => roles.Contains(role) ? ["192.0.2.1:13000"] : [];
        return before with { AppliedVersion = applied, Roles = roles, GatewayAddresses = At(NodeRole.Gateway), PushAddresses = At(NodeRole.PushServer), ContentAddresses = At(NodeRole.DistributionPoint) };
    }

    private void Obey(SimDevice device, ReadOnlyMemory<byte> envelope, List<DeviceLine> lines)
    {
        if (Envelope.Header(envelope.Span).Kind != EnvelopeKind.Desired)
            return;
        var kept = device.KeepsLine;
        if (!device.Obey(envelope.Span, _saved.HeadquartersKey))
            return;
        if (kept != device.KeepsLine)
            lines.Add(LineOf(device));
        Report(device);
    }

    private void Wake(SimDevice device, WakeDevice wake)
    {
        _tools.Counts.Add(Count.Wakes);
        if (WakeSignal.Read(wake.Signal.Span) is not { } signal || !device.IsGenuine(wake.Signal.Span, _saved.HeadquartersKey))
            _tools.Counts.Add(Count.WakesForged);
        else if (wake.Channel == WakeChannel.OfficePush && !device.KeepsLine)
            _outbox.Enqueue(new WakeFailed(device.Id, signal.Counter, wake.Channel, "the device has no line open there", wake.OfficeId));
        else
            _outbox.Enqueue(new DeviceWoken(device.Id, signal.Counter, Id));
    }

    private void Join(Newcomer newcomer, EnrolReply reply)
    {
        if (reply.Enrolled is not { } enrolled || newcomer.Joined(enrolled) is not { } saved)
        {
            _tools.Counts.Add(Count.EnrolmentsRefused);
            return;
        }

        var device = new SimDevice(saved);
        if (!_devices.TryAdd(device.Id, device))
            return;
        _order.Add(device);
        _tools.Counts.Add(Count.Enrolled);
        _tools.Counts.Add(Count.Devices);
        Report(device);
    }

    private DeviceLine LineOf(SimDevice device) => new(device.Id, device.KeepsLine ? LineEnd.None : LineEnd.Lost, DateTimeOffset.UtcNow, Id, TimeSpan.Zero);

    private void SetLines(int lines)
    {
        _tools.Counts.Add(Count.Lines, lines - _lines);
        _lines = lines;
    }

    private static int SizeOf(IUpItem item) => 128 + item switch
    {
        DeviceEnvelopeUp report => report.Envelope.Length,
        EnrolmentUp enrolment => enrolment.Request.Length,
        PresenceDigest digest => digest.Seen.Count * 96,
        LinesDigest digest => digest.Lines.Count * 160,
        _ => 0,
    };

    private static long Now => TimeProvider.System.GetTimestamp();
}
