using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.Office.Identity;
using Fleet.Office.Link;
using Fleet.Office.Passing;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Bench;

/// <summary>
/// An enrolled office node whose link is the product's own and whose devices are keys and counters: each reports its next change as soon as headquarters has
/// stored the last. It costs this machine little, so that what is measured is headquarters.
/// </summary>
internal sealed class ReportingNode : IAsyncDisposable
{
    /// <summary>As many as a relay's frame holds (office.relay.frame-items).</summary>
    private const int FrameItems = 200;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly ActorSystem _system;
    private readonly IActorRef _actor;
    private readonly DataDirectory _data;
    private readonly LinkSystemFactory _links;
    private readonly Counts _counts;

    private ReportingNode(ActorSystem system, IActorRef actor, DataDirectory data, LinkSystemFactory links, Counts counts) =>
        (_system, _actor, _data, _links, _counts) = (system, actor, data, links, counts);

    /// <summary>Devices that headquarters has enrolled.</summary>
    public int Enrolled => Volatile.Read(ref _counts.Enrolled);

    /// <summary>Changes that headquarters has stored.</summary>
    public long Stored => Interlocked.Read(ref _counts.Stored);

    /// <summary>Bytes of a sealed report; 0: none was sent yet.</summary>
    public int ReportBytes => Volatile.Read(ref _counts.ReportBytes);

    /// <summary>Headquarters has stored every change that was sent.</summary>
    public bool IsIdle => Volatile.Read(ref _counts.UnderWay) == 0;

    /// <summary>A device, and the newest version of its report that headquarters has said is stored.</summary>
    public (string Device, ulong Version) Newest => _counts.Newest ?? ("", 0);

    /// <summary>Links the node and enrols its devices; they report from <see cref="Report"/> on.</summary>
    /// <param name="data">The data directory of an enrolled node that does not run.</param>
    /// <param name="token">Admits the devices.</param>
    /// <param name="network">As its machine sees it.</param>
    public static ReportingNode Start(string data, string token, int devices, ActorSystem system, OfficeOptions options, IByteNetwork network)
    {
        var directory = DataDirectory.Open(data, OfficeNode.DataKind);
        var identity = NodeIdentity.Load(directory)!;
        var (clock, node) = (TimeProvider.System, identity.NodeId);
        var credentials = new NodeCredentials(directory, identity, clock);
        var ways = new HeadquartersWays(node, identity.Link, [], dmz: false, credentials, network);
        var links = new LinkSystemFactory(options, ways, node, credentials, network, NullLoggerFactory.Instance);
        var setup = new HqLinkSetup(node, OfficeNode.Version, ways, options.Link, options.RebuildLinkAfter, options.HangUpAfter, clock, new HeadquartersClock(clock));
        if (!JoinToken.TryParse(token, out var parsed, out var problem))
            throw new LabException(problem);
        var counts = new Counts();
        var actor = system.ActorOf(Props.Create(() => new Node(setup, links, parsed, devices, options.Relay.Window, counts)));
        return new ReportingNode(system, actor, directory, links, counts);
    }

    /// <summary>From now on every device changes without end.</summary>
    /// <param name="perSecond">No more changes of the whole office than so many; null: as many as headquarters takes.</param>
    public void Report(double? perSecond = null) => _actor.Tell(new Begin(perSecond));

    /// <summary>No device changes any more.</summary>
    public void Rest() => _actor.Tell(End.Instance);

    public async ValueTask DisposeAsync()
    {
        await _actor.GracefulStop(StopTimeout).ConfigureAwait(false);
        await _links.DisposeAsync().ConfigureAwait(false);
        _data.Dispose();
    }

    private sealed class Counts
    {
        public int Enrolled;
        public long Stored;
        public int UnderWay;
        public int ReportBytes;
        public volatile Tuple<string, ulong>? NewestOf;

        public (string, ulong)? Newest => NewestOf is { } n ? (n.Item1, n.Item2) : null;
    }

    private sealed record Begin(double? PerSecond);

    private sealed record PaceTick
    {
        public static PaceTick Instance { get; } = new();
    }

    private sealed record End
    {
        public static End Instance { get; } = new();
    }

    /// <summary>Stands in the place of a node's Relay.</summary>
    private sealed class Node : ReceiveActor, IWithTimers
    {
        private static readonly TimeSpan PaceEvery = TimeSpan.FromMilliseconds(50);

        private readonly HqLinkSetup _setup;
        private readonly LinkSystemFactory _links;
        private readonly JoinToken _token;
        private readonly int _window;
        private readonly Counts _counts;
        private readonly Dictionary<string, PendingEnrolment> _asked = [];
        private readonly Queue<PendingEnrolment> _toEnrol;
        private readonly List<ReportingDevice> _devices = [];
        private readonly Dictionary<ulong, (int First, int Count)> _underWay = [];
        private readonly Queue<(int First, int Count)> _idle = [];
        private IActorRef _link = ActorRefs.Nobody;
        private string _epoch = "";
        private ulong _frame;
        private bool _reporting;
        private double? _perSecond;
        private double _allowed;

        public Node(HqLinkSetup setup, LinkSystemFactory links, JoinToken token, int devices, int window, Counts counts)
        {
            (_setup, _links, _token, _window, _counts) = (setup, links, token, window, counts);
            _toEnrol = new(Enumerable.Range(0, devices).Select(n => $"bench-{n}").Select(name =>
                PendingEnrolment.Begin(token, JoinKind.Agent, name, new MadeUpMachine(name + token.Office).Fingerprint, new Reach([], [], GatewayOnly: true))));

            Receive<LinkOpened>(Open);
            Receive<LinkClosed>(_ => Forget());
            Receive<UpFrameStored>(Stored);
            Receive<DownFrame>(down =>
            {
                down.Items.OfType<NodeDesired>().ToList().ForEach(_setup.Ways.Obey);
                down.Items.OfType<EnrolmentDown>().ToList().ForEach(Joined);
            });
            Receive<Begin>(begin => Start(begin.PerSecond));
            Receive<PaceTick>(_ =>
            {
                // What could not be sent in time is not made up for beyond a second's worth.
                _allowed = Math.Min(_allowed + (_perSecond!.Value * PaceEvery.TotalSeconds), _perSecond.Value);
                Send();
            });
            Receive<End>(_ =>
            {
                _reporting = false;
                Timers.CancelAll();
                Count();
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Context.ActorOf(HqLink.Props(_setup, _links, Self));

        private void Open(LinkOpened opened)
        {
            // It comes twice: to the link's parent and to its relay, which are both this actor.
            if (_epoch == opened.Epoch)
                return;
            Forget();
            (_epoch, _link) = (opened.Epoch, Sender);
            _link.Tell(new Announce(_epoch, new NodeReport(0, [], [], _setup.Version, "bench", DateTimeOffset.UnixEpoch, [], [], [], "directly", [], null), [], Last: true));
            Enrol();
            Send();
        }

        // Frames are void with their epoch: what was not stored, or not answered, is sent again in the next.
        private void Forget()
        {
            foreach (var some in _underWay.Values)
                _idle.Enqueue(some);
            foreach (var pending in _asked.Values)
                _toEnrol.Enqueue(pending);
            (_epoch, _link, _frame) = ("", ActorRefs.Nobody, 0);
            _underWay.Clear();
            _asked.Clear();
            Count();
        }

        private void Enrol()
        {
            var some = new List<IUpItem>();
            while (some.Count < FrameItems / 4 && _toEnrol.TryDequeue(out var pending))
            {
                var id = Guid.NewGuid().ToString("n");
                _asked[id] = pending;
                some.Add(new EnrolmentUp(id, pending.ToRequest().ToByteArray()));
            }

            if (some.Count > 0)
                _link.Tell(new UpFrame(_epoch, ++_frame, some));
        }

        private void Joined(EnrolmentDown down)
        {
            // Of an earlier epoch, and asked again since.
            if (!_asked.Remove(down.RequestId, out var pending))
                return;
            var reply = EnrolReply.Parser.ParseFrom(down.Reply.Span);
            if (reply.ResultCase != EnrolReply.ResultOneofCase.Enrolled)
                throw new InvalidOperationException($"{pending.Name} could not join: {reply.Refusal.Detail}");
            _devices.Add(new ReportingDevice(pending, reply.Enrolled));
            _counts.Enrolled = _devices.Count;
            if (_asked.Count == 0)
                Enrol();
        }

        private void Start(double? perSecond)
        {
            (_reporting, _perSecond, _allowed) = (true, perSecond, 0);
            if (perSecond is not null)
                Timers.StartPeriodicTimer(PaceTick.Instance, PaceTick.Instance, PaceEvery);
            if (_idle.Count + _underWay.Count == 0)
                for (var first = 0; first < _devices.Count; first += FrameItems)
                    _idle.Enqueue((first, Math.Min(FrameItems, _devices.Count - first)));
            Send();
        }

        // Before the first report is sent it is not idle either.
        private void Count() => Volatile.Write(ref _counts.UnderWay, _underWay.Count + (_reporting ? 1 : 0));

        private void Stored(UpFrameStored stored)
        {
            if (!_underWay.Remove(stored.Number, out var some))
                return;
            Interlocked.Add(ref _counts.Stored, some.Count);
            var last = _devices[some.First + some.Count - 1];
            _counts.NewestOf = Tuple.Create(last.Id.Value, last.Version);
            _idle.Enqueue(some);
            Send();
        }

        private void Send()
        {
            while (_reporting && _epoch.Length > 0 && _underWay.Count < _window && (_perSecond is null || _allowed >= FrameItems) && _idle.TryDequeue(out var some))
            {
                _allowed -= some.Count;
                _underWay[++_frame] = some;
                var changes = _devices.GetRange(some.First, some.Count).Select(d => d.Change(_token.Office)).ToList();
                Volatile.Write(ref _counts.ReportBytes, changes[0].Envelope.Length);
                _link.Tell(new UpFrame(_epoch, _frame, changes));
            }

            Count();
        }
    }
}

/// <summary>A device that is a key and a counter.</summary>
internal sealed class ReportingDevice
{
    private readonly EnvelopeKeys _keys;
    private readonly DeviceReport _report;

    public ReportingDevice(PendingEnrolment joined, Enrolled reply)
    {
        Id = new DeviceId(reply.Id);
        _keys = joined.Key.Share(reply.HeadquartersKey.ToByteArray(), Id);
        _report = new DeviceReport
        {
            RunId = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()),
            Machine = ByteString.CopyFrom(joined.Machine),
            Inventory = new MadeUpMachine(joined.Name).Inventory(),
            ReachedThrough = "bench",
            Settings = { ["sync.interval"] = "1h" },
        };
    }

    public DeviceId Id { get; }

    public ulong Version => _report.Version;

    /// <summary>Seals a report that differs from the last.</summary>
    public DeviceEnvelopeUp Change(OfficeId office)
    {
        _report.Version++;
        _report.Inventory.MemoryBytes++;
        _report.DeviceTime = Timestamp.FromDateTime(DateTime.UtcNow);
        return new DeviceEnvelopeUp(Id, Contracts.Envelopes.Envelope.Seal(_keys, EnvelopeKind.Report, _report.Version, _report.Version, _report), office);
    }
}
