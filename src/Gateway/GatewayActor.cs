using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Monitoring;
using Fleet.Gateway.Push;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Google.Protobuf;

namespace Fleet.Gateway;

/// <summary>
/// Answers the syncs and enrolments of the devices that connect here, and owns their sessions; its child, the push server, owns their lines. Child of
/// whoever composes the gateway; lives as long. Rules are <see cref="DeviceSession"/>'s; this actor keeps the table, asks the uplink and lets askers wait.
/// </summary>
public sealed class GatewayActor : ReceiveActor, IWithTimers
{
    /// <summary>Devices in one presence digest, so that it fits a link frame with room to spare.</summary>
    private const int MaxSeen = 500;

    /// <summary>Of the enrolments that may wait, those with the same token may be one in so many.</summary>
    private const int TokenShare = 2;

    private readonly GatewayOptions _options;
    private readonly IGatewayStore _store;
    private readonly IActorRef _uplinkActor;
    private readonly TimeProvider _clock;
    private readonly Pacing _pacing;
    private readonly AgentLoad _load;
    private readonly GatewayWatch _watch;
    private readonly SessionTable _sessions;
    private readonly Dictionary<DeviceId, List<WaitingSync>> _waiting = [];
    private readonly Dictionary<string, WaitingEnrolment> _enrolments = [];
    private readonly Dictionary<DeviceId, DateTimeOffset> _seen = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _push;
    private Uplink _uplink = new(Up: false, Epoch: "");
    private int _waitingCount;
    private long _lastNumber;

    public GatewayActor(GatewayOptions options, IGatewayStore store, IActorRef uplink, TimeProvider clock, GatewayWatch watch)
    {
        (_options, _store, _uplinkActor, _clock, _watch) = (options, store, uplink, clock, watch);
        _pacing = new Pacing(options.RetryAfter, Random.Shared);
        _sessions = new SessionTable(options.MaxDevices, options.MaxCacheBytes);
        var meter = new LoadMeter(clock);
        _load = new AgentLoad(options.ReturnsPerSecond, meter);
        _push = Context.ActorOf(PushActor.Props(uplink, new AgentLoad(options.ReturnsPerSecond, meter), clock, watch.Meter), "push");

        Receive<SyncDevice>(Sync);
        Receive<EnrolNewcomer>(Enrol);
        Receive<OpenLine>(open => _push.Forward(open));
        Receive<CloseLine>(close => _push.Forward(close));
        Receive<TellLines>(office => _push.Tell(office));
        Receive<CameDown>(Take);
        Receive<UplinkChanged>(Turn);
        Receive<PresenceDue>(_ => SendPresence());
        Receive<GetHeld>(_ => Sender.Tell(_sessions.All.Where(s => s.Desired is not null).Select(s => new HeldDesired(s.Id, s.Desired!.Version)).ToList()));
        Receive<SyncOverdue>(overdue => Overdue(overdue));
        Receive<EnrolmentOverdue>(overdue => RefuseEnrolment(overdue.RequestId, "headquarters did not answer in time"));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="watch">Null: nobody watches it.</param>
    public static Props Props(GatewayOptions options, IGatewayStore store, IActorRef uplink, TimeProvider clock, GatewayWatch? watch = null) =>
        Akka.Actor.Props.Create(() => new GatewayActor(options, store, uplink, clock, watch ?? GatewayWatch.None));

    protected override void PreStart()
    {
        foreach (var session in _store.Load())
            _sessions.Put(session);
        _uplinkActor.Tell(new GatewayReady());
    }

    private void Sync(SyncDevice message)
    {
        if (DeviceSync.From(message.DeviceId, message.Request, out var problem) is not { } sync)
        {
            Sender.Tell(new SyncReply { Outcome = SyncReply.Types.Outcome.Refused, Refusal = new Refusal { Code = (int)RefusalCode.Invalid, Detail = problem } });
            return;
        }

        _seen[sync.DeviceId] = _clock.GetUtcNow();
        var span = Traces.Continue("take-sync", sync.Trace, ActivityKind.Server);
        Notice(sync, Traces.Of(span, sync.Trace));
        var session = _sessions[sync.DeviceId];
        var asked = new WaitingSync(++_lastNumber, sync, session.Ack, Sender, span);
        var question = session.Question(sync, _uplink);
        // The device keeps its report, and is told when to come back.
        var putOff = question is DeviceEnvelopeUp && _watch.Overload.PutOff(Deferrable.Reports) is not null;
        if (question is not null && !putOff)
            _uplinkActor.Tell(new SendUp([question]));
        if (putOff || !_uplink.Up || session.Answers(sync, session.Ack, _uplink) || _waitingCount >= _options.MaxWaiting)
        {
            Answer(asked);
            return;
        }

        if (!_waiting.TryGetValue(sync.DeviceId, out var waiting))
            _waiting[sync.DeviceId] = waiting = [];
        waiting.Add(asked);
        _waitingCount++;
        Timers.StartSingleTimer(asked.Number, new SyncOverdue(sync.DeviceId, asked.Number), _options.AnswerTimeout);
    }

    // Somebody waits for these: they do not wait for the next digest.
    private void Notice(DeviceSync sync, string? trace)
    {
        if (sync.WokenBy > 0)
            _uplinkActor.Tell(new SendUp([new DeviceWoken(sync.DeviceId, sync.WokenBy, sync.OfficeHint, trace)]));
        if (sync.Leaving)
            _uplinkActor.Tell(new SendUp([new LinesDigest([new DeviceLine(sync.DeviceId, LineEnd.Shutdown, _clock.GetUtcNow(), sync.OfficeHint, TimeSpan.Zero)])]));
    }

    private void Enrol(EnrolNewcomer message)
    {
        if (!_uplink.Up)
        {
            Sender.Tell(new EnrolReply { Refusal = _pacing.Unreachable(RefusalCode.HeadquartersUnreachable, "this gateway has no link to headquarters now") });
            return;
        }

        // One token, leaked or guessed at, must not take all places.
        if (_enrolments.Count >= _options.MaxWaiting || _enrolments.Values.Count(e => e.TokenId == message.Request.TokenId) >= Math.Max(1, _options.MaxWaiting / TokenShare))
        {
            Sender.Tell(new EnrolReply { Refusal = _pacing.Unreachable(RefusalCode.Busy, "many are enrolling now") });
            return;
        }

        var requestId = Guid.NewGuid().ToString("n");
        _enrolments[requestId] = new WaitingEnrolment(message.Request.TokenId, Sender);
        _uplinkActor.Tell(new SendUp([new EnrolmentUp(requestId, message.Request.ToByteArray())]));
        Timers.StartSingleTimer(requestId, new EnrolmentOverdue(requestId), _options.EnrolTimeout);
    }

    private void Take(CameDown down)
    {
        var changed = new Dictionary<DeviceId, DeviceSession>();
        var forgotten = new HashSet<DeviceId>();
        foreach (var item in down.Items)
        {
            if (item is EnrolmentDown enrolment)
                AnswerEnrolment(enrolment);
            if (item is WakeDevice wake)
                _push.Tell(wake);
            if (DeviceOf(item) is not { } id)
                continue;
            changed[id] = _sessions[id].Learn(item, _uplink.Epoch);
            forgotten.Remove(id);
            forgotten.UnionWith(_sessions.Put(changed[id]));
        }

        foreach (var id in forgotten)
            changed.Remove(id);
        foreach (var id in changed.Keys.Where(_waiting.ContainsKey).ToList())
            AnswerThose(id, w => _sessions[id].Answers(w.Sync, w.AckBefore, _uplink));
        if (changed.Count + forgotten.Count > 0)
            _store.Save(changed.Values, forgotten);
    }

    private void Turn(UplinkChanged uplink)
    {
        if (uplink.Up != _uplink.Up)
            _log.Debug("Headquarters is {State}", uplink.Up ? "in reach" : "out of reach: syncs are answered from here");
        _uplink = new Uplink(uplink.Up, uplink.Epoch);
        _push.Tell(uplink);
        if (uplink.Up)
            return;
        foreach (var id in _waiting.Keys.ToList())
            AnswerThose(id, _ => true);
        foreach (var requestId in _enrolments.Keys.ToList())
            RefuseEnrolment(requestId, "the link to headquarters broke meanwhile");
    }

    private void SendPresence()
    {
        if (!_uplink.Up || _seen.Count == 0)
            return;
        _uplinkActor.Tell(new SendUp([.. _seen.Select(s => new DeviceSeen(s.Key, s.Value)).Chunk(MaxSeen).Select(part => new PresenceDigest(part))]));
        _seen.Clear();
    }

    private void Overdue(SyncOverdue overdue)
    {
        if (_waiting.ContainsKey(overdue.DeviceId))
            AnswerThose(overdue.DeviceId, w => w.Number == overdue.Number);
    }

    private void AnswerThose(DeviceId id, Func<WaitingSync, bool> which)
    {
        var waiting = _waiting[id];
        foreach (var asked in waiting.Where(which).ToList())
        {
            waiting.Remove(asked);
            _waitingCount--;
            Timers.Cancel(asked.Number);
            Answer(asked);
        }

        if (waiting.Count == 0)
            _waiting.Remove(id);
    }

    private void Answer(WaitingSync asked)
    {
        var session = _sessions[asked.Sync.DeviceId];
        var answer = session.Conclude(asked.Sync, asked.AckBefore, _uplink);
        var reply = new SyncReply
        {
            Outcome = answer.Outcome,
            NextSync = _pacing.NextSync(answer.Pace, session.SyncInterval, _load.Window(_waitingCount)),
            HeadquartersReachable = _uplink.Up,
            ReturnWithin = Pacing.ReturnWithin(_load.Window(_sessions.Count)),
        };
        reply.Envelopes.AddRange(answer.Envelopes.Select(e => UnsafeByteOperations.UnsafeWrap(e.Bytes)));
        if (session.Refused is { } refused)
            reply.Refusal = new Refusal { Code = (int)refused.Code, Detail = refused.Detail };
        asked.Asker.Tell(reply);
        asked.Span?.Dispose();
        _watch.Meter.Answered(answer.Outcome, _waitingCount, _sessions.Count);
        var forgotten = _sessions.Put(session.Heard(asked.Sync, answer));
        if (forgotten.Count > 0)
            _store.Save([], forgotten);
    }

    private void AnswerEnrolment(EnrolmentDown down)
    {
        // Unknown: its asker has been answered already.
        if (!_enrolments.Remove(down.RequestId, out var waiting))
            return;
        var asker = waiting.Asker;
        Timers.Cancel(down.RequestId);
        try
        {
            asker.Tell(EnrolReply.Parser.ParseFrom(down.Reply.Span));
        }
        catch (InvalidProtocolBufferException fault)
        {
            _log.Warning("Headquarters' answer to enrolment {RequestId} is malformed: {Problem}", down.RequestId, fault.Message);
            asker.Tell(new EnrolReply { Refusal = _pacing.Unreachable(RefusalCode.Invalid, "headquarters' answer was malformed") });
        }
    }

    private void RefuseEnrolment(string requestId, string why)
    {
        if (_enrolments.Remove(requestId, out var waiting))
            waiting.Asker.Tell(new EnrolReply { Refusal = _pacing.Unreachable(RefusalCode.HeadquartersUnreachable, why) });
        Timers.Cancel(requestId);
    }

    private static DeviceId? DeviceOf(IDownItem item) => item switch
    {
        DeviceEnvelopeDown down => down.DeviceId,
        DeviceState state => state.DeviceId,
        DeviceRefusedDown refused => refused.DeviceId,
        SyncWanted wanted => wanted.DeviceId,
        _ => null,
    };

    private sealed record WaitingSync(long Number, DeviceSync Sync, CarriedEnvelope? AckBefore, IActorRef Asker, Activity? Span);

    private sealed record WaitingEnrolment(string TokenId, IActorRef Asker);

    private sealed record SyncOverdue(DeviceId DeviceId, long Number);

    private sealed record EnrolmentOverdue(string RequestId);
}
