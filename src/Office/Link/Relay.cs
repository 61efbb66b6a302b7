using Akka.Actor;
using Akka.Event;
using Fleet.Gateway;
using Fleet.Gateway.Push;
using Fleet.Messages.Link;
using Fleet.Office.Discovery;
using Fleet.Office.Monitoring;
using Fleet.Office.Outbox;
using Microsoft.Data.Sqlite;

namespace Fleet.Office.Link;

/// <summary>
/// Carries between the node and headquarters: announces the node at each epoch, sends what waits in the outbox and what merely passes in numbered
/// frames within a window, and hands out what comes down. Owns the outbox. Child of the OfficeActor; lives as long as the node.
/// </summary>
public sealed class Relay : ReceiveActor, IWithTimers
{
    /// <summary>Events in one frame; each is short, and their devices' reports should not wait for a long history.</summary>
    private const int FrameEvents = 50;

    private readonly RelayOptions _options;
    private readonly OutboxFile _outbox;
    private readonly OfficeMeter? _meter;
    private readonly TimeProvider _clock;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly List<DeviceEnvelopeUp> _toKeep = [];
    private readonly Queue<IUpItem> _askedAgain = [];
    private readonly Queue<IUpItem> _toldOnce = [];
    private readonly SortedDictionary<ulong, FrameUnderWay> _underWay = [];
    private NodeReport _report;
    private IActorRef _gateway = ActorRefs.Nobody;
    private IActorRef _link = ActorRefs.Nobody;
    private string _epoch = "";
    private bool _announced;
    private bool _flushDue;
    private bool _outboxFails;
    private ulong _lastFrame;
    private long _lastPlace;
    private ulong _lastEvent;

    public Relay(RelayOptions options, OutboxFile outbox, NodeReport report, TimeProvider clock, OfficeMeter? meter)
    {
        (_options, _outbox, _report, _clock, _meter) = (options, outbox, report, clock, meter);

        Receive<GatewayReady>(_ =>
        {
            _gateway = Sender;
            _gateway.Tell(Uplink);
        });
        Receive<SendUp>(Take);
        Receive<ReportNode>(Report);
        Receive<RecordEvent>(Record);
        Receive<Flush>(_ => KeepAndSend());
        Receive<LinkOpened>(Open);
        Receive<LinkClosed>(_ => Close());
        Receive<IReadOnlyList<HeldDesired>>(Announce);
        Receive<UpFrameStored>(Stored);
        Receive<DownFrame>(Deliver);
        Receive<PresenceTick>(_ => _gateway.Tell(new PresenceDue()));
        Receive<StoredTick>(_ =>
        {
            LookForStuckFrames();
            Guarded(() => _meter?.Waits(_outbox.ReportCount, _outbox.EventCount));
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private UplinkChanged Uplink => new(_epoch.Length > 0, _epoch);

    /// <param name="meter">Null: nobody watches it.</param>
    public static Props Props(RelayOptions options, OutboxFile outbox, NodeReport report, TimeProvider clock, OfficeMeter? meter = null) =>
        Akka.Actor.Props.Create(() => new Relay(options, outbox, report, clock, meter));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(PresenceTick.Instance, PresenceTick.Instance, _options.PresenceInterval);
        Timers.StartPeriodicTimer(StoredTick.Instance, StoredTick.Instance, _options.StoredWithin / 4);
    }

    private void Take(SendUp up)
    {
        foreach (var item in up.Items)
            if (item is DeviceEnvelopeUp report)
                _toKeep.Add(report);
            else
                Pass(item);
        FlushSoon();
    }

    private void Report(ReportNode changed)
    {
        _report = changed.Report with { LinkedBy = _report.LinkedBy };
        if (_announced)
            Pass(_report);
        FlushSoon();
    }

    private void Record(RecordEvent entry)
    {
        Guarded(() => _outbox.Record(entry.Kind, entry.Text));
        FlushSoon();
    }

    private void Open(LinkOpened opened)
    {
        Forget();
        (_epoch, _link, _report) = (opened.Epoch, Sender, _report with { LinkedBy = opened.LinkedBy });
        Guarded(() => _outbox.EventsStored(opened.EventsStored));
        _gateway.Tell(Uplink);
        if (_gateway.IsNobody())
            Announce([]);
        else
            _gateway.Tell(new GetHeld());
    }

    private void Close()
    {
        Forget();
        _gateway.Tell(Uplink);
    }

    /// <summary>Frames are void with their epoch; what they held is in the outbox, or was only passing.</summary>
    private void Forget()
    {
        (_epoch, _link, _announced) = ("", ActorRefs.Nobody, false);
        (_lastFrame, _lastPlace, _lastEvent) = (0, 0, 0);
        _underWay.Clear();
        _askedAgain.Clear();
        _toldOnce.Clear();
    }

    private void Announce(IReadOnlyList<HeldDesired> held)
    {
        if (_epoch.Length == 0 || _announced)
            return;
        var parts = held.Chunk(Messages.Link.Announce.MaxHeld).DefaultIfEmpty([]).ToList();
        for (var part = 0; part < parts.Count; part++)
            _link.Tell(new Announce(_epoch, _report, parts[part], Last: part == parts.Count - 1));
        _announced = true;
        KeepAndSend();
    }

    private void Stored(UpFrameStored stored)
    {
        if (stored.Epoch != _epoch || !_underWay.Remove(stored.Number, out var frame))
            return;
        Guarded(() => _outbox.Stored(frame.Places, frame.FirstEvent, frame.LastEvent));
        KeepAndSend();
    }

    private void Deliver(DownFrame down)
    {
        _meter?.FrameDown();
        var forGateway = new List<IDownItem>();
        foreach (var item in down.Items)
            switch (item)
            {
                case NodeEventsStored events:
                    Guarded(() => _outbox.EventsStored(events.Number));
                    break;
                case WakeDevice { Channel: WakeChannel.WakeOnLan } wake:
                    Context.System.EventStream.Publish(new SendMagicPackets(wake.Addresses));
                    break;
                case WakeDevice { Channel: WakeChannel.OfficeDatagram } wake:
                    Context.System.EventStream.Publish(new SendDatagrams(wake.Signal, wake.Addresses));
                    // This node's own machine listens to no port.
                    Context.Parent.Tell(wake);
                    break;
                case NodeDesired or NodeRenewed or RunPoll or CancelPoll or InstallAgent:
                    Context.Parent.Tell(item);
                    break;
                default:
                    forGateway.Add(item);
                    break;
            }

        if (forGateway.Count > 0)
            _gateway.Tell(new CameDown(forGateway));
    }

    /// <summary>What arrives meanwhile joins the same transaction and frame.</summary>
    private void FlushSoon()
    {
        if (_flushDue)
            return;
        _flushDue = true;
        Self.Tell(Flush.Instance);
    }

    private void KeepAndSend()
    {
        _flushDue = false;
        if (_toKeep.Count > 0)
        {
            // With a failing disk the reports still pass; without a link too they are lost, and their devices, unacknowledged, send them again.
            if (!Guarded(() => _outbox.Keep(_toKeep)))
                _toKeep.ForEach(Pass);
            _toKeep.Clear();
        }

        while (_announced && _underWay.Count < _options.Window && NextFrame() is { } frame)
        {
            _link.Tell(frame);
            _meter?.FrameUp();
        }
    }

    private UpFrame? NextFrame()
    {
        var items = new List<IUpItem>();
        var bytes = 0;
        while (items.Count < _options.FrameItems && bytes < _options.FrameBytes && (_toldOnce.TryDequeue(out var passing) || _askedAgain.TryDequeue(out passing)))
        {
            items.Add(passing);
            bytes += SizeOf(passing);
        }

        var events = items.Count < _options.FrameItems && bytes < _options.FrameBytes ? _outbox.EventsAfter(_lastEvent, FrameEvents) : [];
        items.AddRange(events);
        bytes += events.Sum(SizeOf);
        var reports = items.Count < _options.FrameItems && bytes < _options.FrameBytes
            ? _outbox.ReportsAfter(_lastPlace, _options.FrameItems - items.Count, _options.FrameBytes - bytes)
            : [];
        items.AddRange(reports.Select(r => r.Report));
        if (items.Count == 0)
            return null;

        var (first, last) = events.Count > 0 ? (events[0].Number, events[^1].Number) : (1UL, 0UL);
        _underWay[++_lastFrame] = new FrameUnderWay(_clock.GetTimestamp(), [.. reports.Select(r => r.Place)], first, last);
        _lastPlace = reports.Count > 0 ? reports[^1].Place : _lastPlace;
        _lastEvent = events.Count > 0 ? last : _lastEvent;
        return new UpFrame(_epoch, _lastFrame, items);
    }

    private void Pass(IUpItem item)
    {
        // Without a link: made up for by the next epoch, or its asker asks again.
        if (_epoch.Length == 0)
            return;
        if (IsAskedAgain(item))
        {
            _askedAgain.Enqueue(item);
            if (_askedAgain.Count > _options.MaxPassing)
                _askedAgain.Dequeue();
            return;
        }

        _toldOnce.Enqueue(item);
        // Nobody would tell it again in this epoch; the next makes up for it.
        if (_toldOnce.Count == _options.MaxPassing + 1)
            _link.Tell(new Redial($"more than {_options.MaxPassing} items wait for headquarters"));
    }

    /// <summary>Whether a lost one is made up for without a new epoch: by the device's next sync, the newcomer's next attempt, the next look around or headquarters' own clock.</summary>
    private static bool IsAskedAgain(IUpItem item) => item is DesiredWanted or PresenceDigest or EnrolmentUp or NodeRenewal or WakeFailed or ContentCounts;

    private void LookForStuckFrames()
    {
        if (_underWay.Count > 0 && _clock.GetElapsedTime(_underWay.First().Value.SentAt) > _options.StoredWithin)
            _link.Tell(new Redial($"headquarters has stored nothing for {_options.StoredWithin.TotalSeconds:0} s"));
    }

    private bool Guarded(Action work)
    {
        try
        {
            work();
            Told(null);
            return true;
        }
        catch (SqliteException fault)
        {
            Told($"the outbox can't be written: {fault.Message}");
            return false;
        }
    }

    private void Told(string? problem)
    {
        if (_outboxFails == problem is not null)
            return;
        _outboxFails = problem is not null;
        if (problem is null)
            _log.Info("The outbox can be written again");
        else
            _log.Error("{Problem}: free the disk; reports wait at their devices meanwhile", problem);
        Context.Parent.Tell(new OutboxTrouble(problem));
    }

    private static int SizeOf(IUpItem item) => 128 + item switch
    {
        DeviceEnvelopeUp report => report.Envelope.Length,
        EnrolmentUp enrolment => enrolment.Request.Length,
        NodeRenewal renewal => renewal.CertificateRequest.Length,
        PresenceDigest digest => digest.Seen.Count * 96,
        NodeEvent entry => entry.Text.Length * 3,
        NodeReport report => report.Problems.Sum(p => p.Length * 3) + report.GatewayAddresses.Concat(report.PushAddresses).Sum(a => a.Length),
        InstallEnded ended => ended.Detail.Length * 3,
        LinesDigest lines => lines.Lines.Count * 160,
        Sightings sightings => sightings.Seen.Sum(SightingRule.SizeOf),
        PollEnded ended => (ended.Why.Length + ended.CannotSee.Sum(t => t.Length)) * 3,
        _ => 0,
    };

    private sealed record FrameUnderWay(long SentAt, IReadOnlyList<long> Places, ulong FirstEvent, ulong LastEvent);

    private sealed record Flush
    {
        public static readonly Flush Instance = new();
    }

    private sealed record PresenceTick
    {
        public static readonly PresenceTick Instance = new();
    }

    private sealed record StoredTick
    {
        public static readonly StoredTick Instance = new();
    }
}
