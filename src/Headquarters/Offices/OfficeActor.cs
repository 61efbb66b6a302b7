using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Installs;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Admission;
using Fleet.Messages.Cluster;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// Owns the truth about one office, its nodes and its devices: decides, journals, then answers. Entity of shard region <c>offices</c>. What came in
/// while a batch was being decided is decided together in the next one, and each batch is one write to the journal.
/// </summary>
public sealed class OfficeActor : ReceivePersistentActor, IWithTimers
{
    /// <summary>Before an office's id in the journal.</summary>
    internal const string PersistencePrefix = "office-";

    private const string Ticks = "ticks";

    /// <summary>What changes by time alone is looked at when that is due, and this many times less often than what was handled.</summary>
    private const int DueSeldomer = 10;

    /// <summary>Of the time between ticks: so long a tick waits for what else comes.</summary>
    private const double Soon = 0.1;

    /// <summary>How long reports wait under overload: much longer than a batch, much shorter than a frame may be under way (fleet.links.frame-timeout).</summary>
    private static readonly TimeSpan ReportsWait = TimeSpan.FromSeconds(2);

    /// <summary>Snapshots that are due when headquarters starts are saved within this.</summary>
    private static readonly TimeSpan OverdueWithin = TimeSpan.FromHours(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly OfficeTools _tools;
    private readonly OfficeLinks _links = new();
    private readonly Presence _presence;
    private readonly OfficeIntake _intake;
    private readonly OfficeWakes _wakes;
    private readonly OfficeNudges _nudges;
    private readonly OfficeRollouts _rollouts = new();
    private readonly OfficeNetwork _network;
    private readonly DeviceEnvelopes _envelopes;
    private readonly List<OfficeWork> _queue = [];
    private readonly HashSet<DeviceId> _resting = [];
    private readonly SnapshotPlan _snapshots;
    private readonly Dictionary<NodeId, NodePresence> _nodesChanged = [];
    /// <summary>Devices whose keys are not derived ahead yet; null until it is time for that.</summary>
    private Queue<DeviceId>? _keysWanted;
    private DateTimeOffset _begunAt;
    private long? _tickedAt;
    private ConnectionsGranted? _grant;
    private (int Links, int Devices)? _asked;
    private (int Links, int Devices)? _wanted;
    private Office _office;
    private OfficeBatch? _batch;

    public OfficeActor(OfficeId id, OfficeTools tools)
    {
        PersistenceId = PersistenceIdOf(id);
        (_office, _tools, _snapshots) = (new Office(id), tools, new SnapshotPlan(tools.Options.SnapshotWithin));
        _presence = new Presence(tools.Clock.GetUtcNow(), tools.Meter.Devices);
        _envelopes = new DeviceEnvelopes(tools.Issuer, tools.Clock);
        _wakes = new OfficeWakes(tools, _links, _presence, _envelopes, Context.System.EventStream.Publish, () => Timers);
        _nudges = new OfficeNudges(tools, _links, _presence, _wakes, Context.System.EventStream.Publish, () => Timers);
        _network = new OfficeNetwork(tools, _log);
        _intake = new OfficeIntake(tools, _presence, _wakes, _network, Context.System.EventStream.Publish, _log);

        if (tools.Unreadable.IsSetAside(PersistenceId))
        {
            SetAside();
            return;
        }

        Recover<SnapshotOffer>(offer => Restore(offer));
        Recover<IOfficeEvent>(row =>
        {
            _office = _office.Apply(row);
            CountToSnapshot(row);
        });
        Recover<RecoveryCompleted>(_ => Recovered());

        Deciding();
    }

    public override string PersistenceId { get; }

    /// <summary>None where its rows can't be read.</summary>
    public override Recovery Recovery => _tools.Unreadable.IsSetAside(PersistenceId) ? Recovery.None : base.Recovery;

    public ITimerScheduler Timers { get; set; } = null!;

    public static string PersistenceIdOf(OfficeId id) => $"{PersistencePrefix}{id}";

    public static Props Props(OfficeId id, OfficeTools tools) => Akka.Actor.Props.Create(() => new OfficeActor(id, tools));

    private DateTimeOffset Now => _tools.Clock.GetUtcNow();

    protected override void PreStart()
    {
        base.PreStart();
        _tools.Meter.Devices.OfficeBegan();
        // The first tick falls anywhere in the interval, so that a thousand offices that start together do not tick together.
        Timers.StartPeriodicTimer(Ticks + nameof(NetworkTick), NetworkTick.Instance, Spread(_tools.Options.Discovery.ReviewEvery), _tools.Options.Discovery.ReviewEvery);
        Timers.StartPeriodicTimer(Ticks + nameof(ResendTick), ResendTick.Instance, Spread(_tools.Options.ResendEvery), _tools.Options.ResendEvery);
    }

    protected override void PostStop()
    {
        _tools.Meter.Devices.OfficeEnded();
        _presence.ForgetAll();
        // Where the twin starts again, it says so anew.
        foreach (var node in _office.Nodes.Values.Where(n => n.DmzAddress is not null))
            Context.System.EventStream.Publish(new DialNode(node.NodeId, null));
        base.PostStop();
    }

    // A device twin that failed has a bug; it goes, its reports stay unanswered, and a fresh one takes the device's next.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        // The journal itself works.
        if (_tools.Unreadable.SetAside(PersistenceId, reason))
        {
            _log.Error("Office {OfficeId} is set aside: {Reason}. What is asked of it is refused; all others go on", _office.Id, _tools.Unreadable.Why(PersistenceId));
            return;
        }

        if (message is null)
            _log.Error("The journal of office {OfficeId} can't be read; the twin starts again after a wait: {Reason}", _office.Id, _tools.JournalFailed(PersistenceId, reason));
        else
            base.OnRecoveryFailure(reason, message);
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        _log.Error("The journal of office {OfficeId} can't be written, and nothing was answered; the twin starts again after a wait: {Reason}", _office.Id, _tools.JournalFailed(PersistenceId, cause));
    }

    // What is told at a tick changes by what this twin handles. Where that is nothing there are no ticks: ten thousand quiet offices would keep a processor and the collector busy.
    protected override bool AroundReceive(Receive receive, object message)
    {
        if (message is not (PresenceTick or NetworkTick or ResendTick) && !Timers.IsTimerActive(Ticks + nameof(PresenceTick)))
            Timers.StartSingleTimer(Ticks + nameof(PresenceTick), PresenceTick.Instance, UntilTick());
        return base.AroundReceive(receive, message);
    }

    private void Deciding()
    {
        Queueing();
        Command<BeginBatch>(_ => Begin());
        Command<CreateToken>(Handle);
        Command<StartInstall>(Handle);
        Command<Enrol>(Handle);
        Command<IOfficeCommand>(Handle);
        Command<LinkNode>(Handle);
        Command<UnlinkNode>(Handle);
        Command<NodeNotDialled>(Handle);
        Command<TakeAnnounce>(Handle);
        Command<WakeDue>(Handle);
        Command<NudgeDue>(_ => _nudges.Next(_office));
        Command<RolloutsCounted>(_rollouts.Heard);
        Command<ConnectionsGranted>(Handle);
        Command<DeviceTakenIn>(Handle);
        Command<OfficeRefused>(Handle);
        Command<Terminated>(Handle);
        Command<ReportsJudged>(_ => { });
        Command<NetworkTick>(_ => Store([.. _network.Review(_office, Now), .. PollerRule.Step(_office, _tools.Options.Discovery.MovePollerAfter, Now)], () => { }));
        Command<ResendTick>(_ =>
        {
            HandOver();
            SnapshotWhenDue();
            DeleteOldEvents();
            SayWhomToDial();
            AskForPlaces(again: true);
            CountRollouts(again: true);
        });
        Housekeeping();
    }

    // Nothing is acknowledged, so nodes and devices keep what they have to say.
    private void SetAside()
    {
        Recover<object>(_ => { });
        Command<Enrol>(c => Sender.Tell(new EnrolmentAnswer(c.RequestId, Enrolment.Refusal(RefusalCode.Busy, _tools.Unreadable.Why(PersistenceId)).ToByteArray())));
        Command<IOfficeCommand>(_ => Sender.Tell(new OfficeRefused(_office.Id, RefusalCode.Busy, _tools.Unreadable.Why(PersistenceId))));
        Command<GetPresence>(_ => Sender.Tell(new OfficePresence(_office.Id, [], [])));
        Command<RowsLook>(_ => _tools.Unreadable.Look(PersistenceId, Self));
        Command<RowsSeen>(seen =>
        {
            if (!seen.AllReadable)
            {
                Timers.StartSingleTimer(nameof(RowsLook), RowsLook.Instance, UnreadableTwins.LookEvery);
                return;
            }

            _log.Info("Office {OfficeId} can be read again", _office.Id);
            _tools.Unreadable.TakeBack(PersistenceId);
            Context.Stop(Self);
        });
        CommandAny(_ => { });
        Self.Tell(RowsLook.Instance);
    }

    private void Judging()
    {
        Queueing();
        Command<ReportsJudged>(judged =>
        {
            Judged(judged);
            Finish();
        });
        Command<Terminated>(gone => gone.ActorRef.Path.Parent.Equals(Self.Path), gone =>
        {
            var id = new DeviceId(gone.ActorRef.Path.Name);
            // A twin that stopped since it was idle may not have read what it was asked last; one that failed has.
            if (_resting.Remove(id) && _batch!.Awaits(id))
            {
                Judge(id);
                return;
            }

            _batch!.GiveUp(id);
            Finish();
        });
        Housekeeping();
        CommandAny(_ => Stash.Stash());
    }

    private void Queueing()
    {
        Command<TakeFrame>(Handle);
        Command<TakeForwarded>(Handle);
        Command<TakeDirect>(Handle);
    }

    private void Housekeeping()
    {
        Command<GetPresence>(_ => Sender.Tell(new OfficePresence(_office.Id, [.. _office.Nodes.Values.Select(PresenceOf)], _presence.All)));
        Command<PresenceTick>(_ =>
        {
            PublishPresence();
            CountRollouts(again: false);
            TickWhenDue();
        });
        Command<DeviceTwinIdle>(Handle);
        Command<SaveSnapshotSuccess>(Handle);
        Command<SaveSnapshotFailure>(Handle);
        Command<DeleteMessagesSuccess>(_ => { });
        Command<DeleteMessagesFailure>(f => _log.Warning("Office {OfficeId} could not delete old events: {Reason}", _office.Id, f.Cause.Message));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(f => _log.Warning("Office {OfficeId} could not delete old snapshots: {Reason}", _office.Id, f.Cause.Message));
    }

    // Soon where it was quiet: the first change is shown at once, those behind it together.
    private TimeSpan UntilTick()
    {
        var every = _tools.Options.PresenceEvery;
        var left = _tickedAt is { } at ? every - _tools.Clock.GetElapsedTime(at) : TimeSpan.Zero;
        return Most(left, every * Soon);
    }

    private void TickWhenDue()
    {
        _tickedAt = _tools.Clock.GetTimestamp();
        if (UntilDue() is { } left)
            Timers.StartSingleTimer(Ticks + nameof(TickWhenDue), PresenceTick.Instance, left);
    }

    /// <summary>Nobody tells of what changes by time alone; null: nothing does.</summary>
    private TimeSpan? UntilDue()
    {
        var soonest = _tools.Options.PresenceEvery;
        var latest = soonest * DueSeldomer;
        if (DeriveKeysAhead())
            return soonest;
        if (_presence.ChangesAt is { } at)
            return Least(Most(at - Now, soonest), latest);
        return _keysWanted is { Count: 0 } ? null : latest;
    }

    /// <returns>Whether there are more whose turn it may be soon; false: there are none, or others come first.</returns>
    private bool DeriveKeysAhead()
    {
        const int atOnce = 10;
        if (_keysWanted is null && Now - _begunAt < KeysAhead.After)
            return false;
        _keysWanted ??= new Queue<DeviceId>(_office.Devices.Keys);
        for (var i = 0; i < atOnce && _keysWanted.TryPeek(out var next); i++)
        {
            if (_office.Devices.TryGetValue(next, out var device) && !_tools.KeysAhead.Has(device))
                return false;
            _keysWanted.Dequeue();
        }

        return _keysWanted.Count > 0;
    }

    // ---- Recovery ----

    private void Restore(SnapshotOffer offer)
    {
        _office = Office.From((OfficeSnapshot)offer.Snapshot);
        _snapshots.Offered(offer.Metadata);
    }

    // No link survives this process, and settings may have changed while it was down.
    private void Recovered()
    {
        _tools.Meter.Journal.Read(PersistenceId);
        var now = _begunAt = Now;
        // Of the many that are due at a start, some at a time.
        _snapshots.Recovered(now, overdue: Spread(Least(OverdueWithin, _tools.Options.SnapshotWithin)));
        List<IOfficeEvent> events = [.. _office.Nodes.Values.Where(n => n.Linked).Select(n => new NodeLinkChanged(_office.Id, n.NodeId, false, "headquarters restarted", now))];
        events.AddRange(DesiredState.Check(_office, _tools.Options, now));
        Store(events, () =>
        {
            _wakes.BeginAll(_office);
            SayWhomToDial();
            Context.System.EventStream.Publish(new OfficeBegan(_office.Id));
        });
    }

    // ---- Batches: frames, forwarded items, direct devices ----

    private void Handle(TakeFrame take)
    {
        if (!Speaks(take.NodeId, take.Frame.Epoch))
            return;
        var (session, frame) = (Sender, take.Frame);
        Enqueue(new OfficeWork(session, frame.Items, take.NodeId, Forwarded: false, (items, home) => new TakeForwarded(home, items, frame.Epoch), answers =>
        {
            OfficeLinks.Send(session, frame.Epoch, answers);
            session.Tell(new FrameTaken(frame.Epoch, frame.Number));
        }));
    }

    private void Handle(TakeForwarded take)
    {
        var session = Sender;
        Enqueue(new OfficeWork(session, take.Items, null, Forwarded: true, (items, home) => new TakeForwarded(home, items, take.Epoch),
            answers => OfficeLinks.Send(session, take.Epoch, answers)));
    }

    private void Handle(TakeDirect take)
    {
        var asker = Sender;
        // A device that lives elsewhere is answered from there; one answer an ask.
        Enqueue(new OfficeWork(asker, take.Items, null, Forwarded: false, (items, home) => new TakeDirect(home, items), answers =>
        {
            if (answers.Count > 0 || !take.Items.Any(IsElsewhere))
                asker.Tell(new DirectAnswer(answers));
        }));
    }

    private bool IsElsewhere(IUpItem item) => item is IDeviceUpItem { DeviceId: var id } && !_office.Devices.ContainsKey(id);

    private void Enqueue(OfficeWork work)
    {
        _queue.Add(work);
        if (_batch is null && (_queue.Count == 1 || Timers.IsTimerActive(nameof(BeginBatch))))
            BeginSoon(work);
    }

    // Under overload reports are decided in fewer, larger batches, and their carriers wait meanwhile: a node has few frames under way. What somebody waits for
    // goes at once, and takes along what waits.
    private void BeginSoon(OfficeWork work)
    {
        if (work.Items.All(i => i is DeviceEnvelopeUp or NodeReport or NodeEvent) && _tools.Overload.PutOff(Deferrable.Reports) is not null)
        {
            if (!Timers.IsTimerActive(nameof(BeginBatch)))
                Timers.StartSingleTimer(nameof(BeginBatch), BeginBatch.Instance, ReportsWait);
            return;
        }

        Timers.Cancel(nameof(BeginBatch));
        Self.Tell(BeginBatch.Instance);
    }

    private void Begin()
    {
        if (_queue.Count == 0)
            return;
        var now = Now;
        _batch = new OfficeBatch(_office, [.. _queue]);
        _queue.Clear();
        _intake.Take(_batch, now);
        foreach (var id in _batch.Reports.Keys)
            Judge(id);
        // What tells of presence alone, as most frames do, is decided here: another behaviour is made anew each time.
        if (!_batch.IsDecided)
            Become(Judging);
        Finish();
    }

    private void Judge(DeviceId id)
    {
        var device = _batch!.Working.Devices[id];
        var silence = 2 * DesiredState.IntervalOf(_office, device, _tools.Options);
        Twin(id).Tell(new JudgeReports(device, [.. _batch.Reports[id].Select(r => r.Envelope)], new ReportCircumstances(Now, _presence.EnrolledHeardAt(device), silence, _office.Updates.Timestamp)));
    }

    private void Judged(ReportsJudged judged)
    {
        _batch!.Take(judged);
        foreach (var answer in judged.Answers)
            _presence.Heard(judged.DeviceId, answer.Outcome, Now);
        // Which of two machines is the enrolled one shows when both report anew.
        if (judged.Answers.Any(a => a.Outcome == ReportOutcome.Cloned) && _office.Devices.TryGetValue(judged.DeviceId, out var device))
            Push([StateOf(device) with { ReportedVersion = 0 }], judged.DeviceId);
    }

    private void Finish()
    {
        if (_batch is not { IsDecided: true } batch)
            return;
        Store(batch.Events, () =>
        {
            foreach (var work in batch.Works)
                work.Answer([.. work.Answers, .. StatesFor(batch, work)]);
            _batch = null;
            if (batch.Reports.Count > 0)
            {
                Become(Deciding);
                Stash.UnstashAll();
            }

            // Behind what was stashed: commands do not starve under a flood of frames.
            if (_queue.Count > 0)
                Self.Tell(BeginBatch.Instance);
        }, after: batch.Working);
    }

    // Each device that the sender reported for or asked about: what headquarters has of it, and the document where the sender's is older.
    private IEnumerable<IDownItem> StatesFor(OfficeBatch batch, OfficeWork work)
    {
        foreach (var id in batch.Reports.Where(r => r.Value.Any(v => v.Work == work)).Select(r => r.Key).Union(work.Wanted.Keys))
        {
            if (!_office.Devices.TryGetValue(id, out var device))
                continue;
            if (work.Wanted.TryGetValue(id, out var held) && held < device.Known.DesiredVersion)
                yield return Sealed(device);
            yield return StateOf(device);
        }
    }

    private IActorRef Twin(DeviceId id)
    {
        var twin = Context.Child(id.Value);
        return twin.IsNobody()
            ? Context.Watch(Context.ActorOf(DeviceActor.Props(_office.Id, id, _tools.Issuer, _tools.Clock, _tools.Options.DeviceIdleAfter), id.Value))
            : twin;
    }

    private void Handle(DeviceTwinIdle idle)
    {
        if (Context.Child(idle.DeviceId.Value) is var twin && !twin.IsNobody() && _resting.Add(idle.DeviceId))
            Context.Stop(twin);
    }

    // ---- Commands ----

    private void Handle(IOfficeCommand command)
    {
        var sender = Sender;
        var decision = command switch
        {
            RequestWake c => _office.Decide(c, _wakes.NextCounter, Now),
            WakeOffice c => _office.Decide(c, _wakes.NextCounter, Now),
            StartPoll c => _office.Decide(c, NewIds.Poll(), _tools.Options.Discovery, Now),
            SchedulePolls c => _office.Decide(c, _tools.Options.Discovery, Now),
            // These change nothing, and need to know who is there.
            ListRolloutDevices c => new OfficeDecision([], new RolloutDevices(_office.Id, PackagePaths.Devices(_office, c.Rollout, c.All, _presence.Of))),
            ExplainDevice c => _office.Explain(c, _presence.Of),
            _ => _office.Decide(command, Now),
        };
        if (command is RequestWake { Trace: { } trace, DeviceId: var woken } && decision.Events.OfType<DeviceWakeRequested>().Any())
            _wakes.Trace(woken, trace);
        Store(decision.Events, () =>
        {
            sender.Tell(decision.Reply);
            if (decision.Reply is OfficeAccepted && command is RequestSync { DeviceId: var device })
                Push([new SyncWanted(device)], device);
            if (decision.Reply is OfficeAccepted && command is StopPoll { PollId: var poll })
                _links.Send(_office.Polling.Open[poll].NodeId, [new CancelPoll(poll)]);
            if (command is MoveDevice)
                HandOver();
            // It hands out its book where it does not know who has it: it may have begun anew.
            if (command is AdoptUpdateBook)
                _rollouts.SayAgain();
        });
    }

    private void Handle(WakeDue due)
    {
        if (_office.Devices.TryGetValue(due.DeviceId, out var device)
            && _wakes.Failed(_office, device, due.Counter, due.Channel, "the device did not sync in time", Now) is { } ended)
            Store([ended], () => { });
    }

    private void Handle(ConnectionsGranted granted)
    {
        // An answer to an earlier question says nothing about the places that are wanted now.
        if (_asked != (granted.AskedLinks, granted.AskedDevices))
            return;
        _grant = granted;
        Store([], () => { }, newGrant: true);
    }

    /// <param name="again">Also where the same was asked before: the answer may be lost, or a place may have become free.</param>
    private void AskForPlaces(bool again)
    {
        if (!_office.IsOpen)
            return;
        var wanted = _wanted ??= ConnectionRule.Wanted(_office);
        var answered = _grant is { } grant && (grant.AskedLinks, grant.AskedDevices) == wanted;
        if (answered && (!again || (_grant!.Links, _grant.Devices) == wanted))
            return;
        if (!again && _asked == wanted)
            return;
        _asked = wanted;
        _tools.Company().Tell(new WantConnections(_office.Id, wanted.Links, wanted.Devices));
    }

    private void Handle(CreateToken command)
    {
        var sender = Sender;
        var fresh = JoinToken.Create(_office.Id, NewIds.Token(), PeerTrust.PinOf(_tools.Issuer.Authority));
        var decision = _office.Decide(command, fresh, Now);
        Store(decision.Events, () => sender.Tell(decision.Reply));
    }

    private void Handle(StartInstall command)
    {
        var sender = Sender;
        var token = JoinToken.Create(_office.Id, NewIds.Token(), PeerTrust.PinOf(_tools.Issuer.Authority));
        var decision = _office.Decide(command, NewIds.Install(), token, Now);
        Store(decision.Events, () =>
        {
            // The credentials live in this message and the one that goes down, nowhere else.
            if (decision.Events.OfType<AgentInstallBegun>().SingleOrDefault() is { } begun)
                _links.Send(begun.NodeId, [InstallOrders.Of(_office, begun, command.Secret, token, _tools.Options, _tools.Issuer)]);
            sender.Tell(decision.Reply);
        });
    }

    private void Handle(Enrol command)
    {
        var sender = Sender;
        if (command.CarrierOffice is { } carrier && carrier != _office.Id)
        {
            var detail = $"the request came through a gateway of office {carrier}; join through one of {_office.Id}, or directly";
            _log.Warning("Enrolment at office {OfficeId} refused: {Code}, {Detail}", _office.Id, RefusalCode.WrongOffice, detail);
            sender.Tell(new EnrolmentAnswer(command.RequestId, Enrolment.Refusal(RefusalCode.WrongOffice, detail).ToByteArray()));
            return;
        }

        var decision = _intake.Enrol(_office, command.Request, Now);
        Store(decision.Events, () => sender.Tell(new EnrolmentAnswer(command.RequestId, decision.Reply.ToByteArray())));
    }

    // ---- Moves ----

    private void HandOver()
    {
        foreach (var (_, forward) in _office.Forwards)
            if (forward.Leaving is { } leaving)
                _tools.Offices().Tell(new TakeInDevice(forward.To, _office.Id, leaving));
    }

    private void Handle(DeviceTakenIn taken)
    {
        if (_office.Forwards.GetValueOrDefault(taken.DeviceId) is { Leaving: not null } forward && forward.To == taken.OfficeId)
            Store([new DeviceMoveDone(_office.Id, taken.DeviceId, Now)], () => { });
    }

    private void Handle(OfficeRefused refused)
    {
        if (refused.Code != RefusalCode.NotFound)
            return;
        _log.Warning("Office {To} does not exist; its devices stay in {OfficeId}", refused.OfficeId, _office.Id);
        Store(_office.TakeBack(refused.OfficeId, Now), () => { });
    }

    // ---- Links ----

    private void Handle(LinkNode link)
    {
        var (session, now) = (Sender, Now);
        if (!_office.Nodes.TryGetValue(link.NodeId, out var node) || !node.Certificates.Any(c => c.Serial.Equals(link.CertificateSerial, StringComparison.OrdinalIgnoreCase)))
        {
            _log.Warning("Link of node {NodeId} refused: office {OfficeId} has no such node with certificate {Serial}", link.NodeId, _office.Id, link.CertificateSerial);
            session.Tell(new OfficeRefused(_office.Id, RefusalCode.Removed, $"office {_office.Id} has no node {link.NodeId} with this certificate: it was removed; enrol it anew"));
            return;
        }

        if (_links.IsClone(link.NodeId, link.Incarnation))
        {
            // At one headquarters node its door sees to it; here they came in at two.
            _log.Warning(OfficeLinks.RunsTwiceInLog, link.NodeId);
            session.Tell(new OfficeRefused(_office.Id, RefusalCode.Clone, OfficeLinks.RunsTwice));
            return;
        }

        // Asked again while this twin began: it is linked already.
        if (_links.Current(link.NodeId, link.Epoch)?.Session.Equals(session) == true)
        {
            session.Tell(new NodeWelcomed(link.NodeId, link.Epoch, node.EventNumber));
            return;
        }

        Store([new NodeLinkChanged(_office.Id, link.NodeId, true, "linked", now)], () =>
        {
            if (_links.Of(session) is null)
                Context.Watch(session);
            _links.Up(link.NodeId, session, link.Epoch, link.Incarnation)?.Tell(new OfficeRefused(_office.Id, RefusalCode.Busy, "the node came in anew"));
            _presence.NoLinesAt(link.NodeId, Now);
            session.Tell(new NodeWelcomed(link.NodeId, link.Epoch, _office.Nodes[link.NodeId].EventNumber));
        });
    }

    private void Handle(UnlinkNode unlink) => Unlink(unlink.NodeId, unlink.Epoch, unlink.Reason);

    // Again and again: who dials may start after this twin.
    private void SayWhomToDial()
    {
        foreach (var (id, node) in _office.Nodes)
            if (node.DmzAddress is { } address)
                Context.System.EventStream.Publish(new DialNode(id, address));
    }

    private void Handle(NodeNotDialled failed)
    {
        if (_office.Nodes.GetValueOrDefault(failed.NodeId) is { DmzAddress: not null, Linked: false } node && node.LinkReason != failed.Problem)
            Store([new NodeLinkChanged(_office.Id, node.NodeId, false, failed.Problem, Now)], () => { });
    }

    private void Handle(Terminated gone)
    {
        if (gone.ActorRef.Path.Parent.Equals(Self.Path))
            _resting.Remove(new DeviceId(gone.ActorRef.Path.Name));
        else if (_links.Of(gone.ActorRef) is { } node)
            Unlink(node, _links.EpochOf(node), "the link's session ended");
    }

    private void Unlink(NodeId node, string epoch, string reason)
    {
        // An overtaken epoch's end says nothing about the link that is up now.
        if (_links.Down(node, epoch) && _office.Nodes.ContainsKey(node))
            Store([new NodeLinkChanged(_office.Id, node, false, reason, Now)], () => { });
    }

    private void Handle(TakeAnnounce take)
    {
        if (!Speaks(take.NodeId, take.Announce.Epoch))
            return;
        var held = _links.Current(take.NodeId, take.Announce.Epoch)!.Held;
        foreach (var document in take.Announce.Held)
            held[document.DeviceId] = document.Version;
        if (!take.Announce.Last)
            return;
        var node = _office.Nodes[take.NodeId];
        IOfficeEvent[] events = OfficeIntake.Same(node.Report, take.Announce.Report) ? [] : [new NodeReported(_office.Id, node.NodeId, take.Announce.Report, Now)];
        var before = _office.Devices;
        Store(events, () =>
        {
            // A document that is another because of what the node reports has just gone to all links: sealing a hundred once more would be half of what it costs to let the office in.
            bool IsOlder(Device device) => held.GetValueOrDefault(device.Id) < device.Known.DesiredVersion && before.GetValueOrDefault(device.Id)?.Known.DesiredVersion == device.Known.DesiredVersion;
            _links.Send(take.NodeId,
            [
                DesiredOf(_office.Nodes[take.NodeId]),
                .. _office.Devices.Values.Select(StateOf),
                .. _office.Forwards.Values.Select(StateOf),
                .. held.Keys.Where(d => !_office.Devices.ContainsKey(d) && !_office.Forwards.ContainsKey(d)).Select(Removed),
                .. _office.Devices.Values.Where(IsOlder).Select(Sealed),
            ]);
            // Wake-ups that waited for a node to link.
            _wakes.BeginAll(_office);
        });
    }

    // A frame counts only from the session that speaks for the node under the newest epoch.
    private bool Speaks(NodeId node, string epoch)
    {
        if (_office.Nodes.ContainsKey(node) && _links.Current(node, epoch) is { } link && link.Session.Equals(Sender))
            return true;
        _log.Warning("A message of node {NodeId} came under an epoch that is over, or from another; office {OfficeId} drops it", node, _office.Id);
        Sender.Tell(new OfficeRefused(_office.Id, RefusalCode.NotAllowed, $"node {node} is not linked to office {_office.Id} under this epoch"));
        return false;
    }

    // ---- Journal ----

    // The one way into the journal: settles what follows from the events, writes all at once, then tells the links what changed and answers.
    /// <param name="after">The office with the events, where that is known already.</param>
    private void Store(IReadOnlyList<IOfficeEvent> events, Action then, bool newGrant = false, Office? after = null)
    {
        // Nothing follows from nothing. Each office's ticks come to that nearly always, and settling it would be most of what ten thousand quiet offices cost.
        if (events.Count == 0 && !newGrant)
        {
            then();
            SnapshotWhenDue();
            return;
        }

        var (before, (settled, settledTo)) = (_office, _office.Settled(events, _tools.Options, Now, _grant, newGrant, after));
        this.PersistAllOrNone(OfficeEvents.Rows(_office.Id, settled), _tools.Meter, CountToSnapshot, () =>
        {
            // Nothing else is decided before the last row is journaled, so this is what the rows come to.
            _office = settledTo;
            _tools.Meter.Journaled(settled);
            if (settled.Count > 0)
                TellLinks(before, settled);
            then();
            if (settled.Any(OfficeRules.MayConnect))
            {
                _wanted = null;
                AskForPlaces(again: false);
            }

            SnapshotWhenDue();
        });
    }

    private void CountToSnapshot(IOfficeEvent row) => _snapshots.Count(row is OfficeEvents many ? many.Events.Count : 1);

    private void TellLinks(Office before, IReadOnlyList<IOfficeEvent> events)
    {
        foreach (var poll in events.OfType<PollBegun>().Where(p => p.By.Length > 0 && _office.Polling.Open.ContainsKey(p.PollId)))
            _links.Send(poll.NodeId, [new RunPoll(poll.PollId, poll.Method, poll.Full, poll.Ranges, poll.AllowLarge)]);
        _network.Journaled(events);
        var plansMayChange = !ReferenceEquals(before.Updates, _office.Updates) || !ReferenceEquals(before.Nodes, _office.Nodes) || events.Any(UpdatePlans.MayPick);
        foreach (var node in plansMayChange ? NodeWays.ToldAnew(before, _office).Concat(UpdatePlans.ToldAnew(before, _office)).DistinctBy(n => n.NodeId) : [])
            _links.Send(node.NodeId, [DesiredOf(node)]);
        foreach (var way in events.OfType<NodeWaySet>())
            Context.System.EventStream.Publish(new DialNode(way.NodeId, way.DmzAddress));
        foreach (var link in events.OfType<NodeLinkChanged>().Where(l => _office.Nodes.ContainsKey(l.NodeId)))
            _nodesChanged[link.NodeId] = PresenceOf(_office.Nodes[link.NodeId]);
        foreach (var removed in events.OfType<NodeRemoved>())
        {
            _links.Remove(removed.NodeId, _office.Id);
            Context.System.EventStream.Publish(new DialNode(removed.NodeId, null));
        }

        // Sealing a document costs a key agreement, which is for nobody while nobody listens: after a start of headquarters no office is linked yet.
        var items = events.OfType<IDeviceEvent>().GroupBy(e => e.DeviceId).Where(e => _links.Any || _presence.IsDirect(e.Key)).SelectMany(e => ChangesOf(before, e.Key, e)).ToList();
        if (items.Count > 0)
        {
            _links.SendAll(items);
            PublishDirect(items);
        }

        _rollouts.Journaled(events);
        _nudges.Journaled(_office, events);
        _wakes.Begin(_office, events.OfType<DeviceWakeRequested>().Select(e => _office.Devices[e.DeviceId]));
        foreach (var over in events.OfType<DeviceWakeEnded>())
            _wakes.Forget(over.DeviceId);
        // Rules moved it: an operator's own move is handed over with its answer.
        if (events.Any(e => e is DevicePlaced { Moved: true }))
            HandOver();
        foreach (var gone in events.OfType<IDeviceEvent>().Where(e => e is DeviceRemoved or DeviceMovedOut))
        {
            _wakes.Forget(gone.DeviceId);
            _presence.Forget(gone.DeviceId);
        }

        if (events.Any(e => e is NodeLinkChanged or NodeLinkDecided or NodeRemoved or DeviceEnrolled or DeviceMovedIn or OfficePoliciesAdopted))
            _presence.ReviewAll();
    }

    private IEnumerable<IDownItem> ChangesOf(Office before, DeviceId id, IEnumerable<IDeviceEvent> events)
    {
        if (!_office.Devices.TryGetValue(id, out var device))
            return [_office.Forwards.TryGetValue(id, out var forward) ? StateOf(forward) : Removed(id)];
        // A document sealed under a key that the device has left behind can't be opened any more.
        var newKey = before.Devices.TryGetValue(id, out var old) && old.Proven.Generation != device.Proven.Generation;
        return newKey || events.Any(e => e is DeviceDesiredChanged) ? [Sealed(device), StateOf(device)]
            : events.Any(e => e is DeviceReported or DeviceMovedIn) ? [StateOf(device)] : [];
    }

    private void SnapshotWhenDue()
    {
        // A snapshot holds every device: after twice as many events it costs each of them half a device's state at most. Where little happens, events go by age.
        var now = Now;
        if (_snapshots.Begin(now, Math.Max(_tools.Options.SnapshotEvery, 2 * _office.Devices.Count)))
            SaveSnapshot(_office.ToSnapshot(now));
    }

    private void Handle(SaveSnapshotSuccess saved)
    {
        _snapshots.Saved(saved.Metadata);
        DeleteOldEvents();
    }

    private void Handle(SaveSnapshotFailure failed)
    {
        _log.Warning("Office {OfficeId} could not save a snapshot and tries again: {Reason}", _office.Id, failed.Cause.Message);
        _snapshots.Failed(Now);
    }

    private void DeleteOldEvents()
    {
        if (_snapshots.Over(_tools.ProjectedTo(PersistenceId)) is not { } over)
            return;
        DeleteSnapshots(new SnapshotSelectionCriteria(over - 1));
        DeleteMessages(over);
    }

    // ---- What goes down ----

    private void Push(IReadOnlyList<IDownItem> items, DeviceId device)
    {
        _links.SendAll(items);
        if (_presence.IsDirect(device))
            Context.System.EventStream.Publish(new CameDownDirect(_office.Id, items));
    }

    private void PublishDirect(IReadOnlyList<IDownItem> items)
    {
        List<IDownItem> direct = [.. items.Where(i => IsDirect(i))];
        if (direct.Count > 0)
            Context.System.EventStream.Publish(new CameDownDirect(_office.Id, direct));
    }

    private bool IsDirect(IDownItem item) => item switch
    {
        DeviceState s => _presence.IsDirect(s.DeviceId),
        DeviceEnvelopeDown e => _presence.IsDirect(e.DeviceId),
        DeviceRefusedDown r => _presence.IsDirect(r.DeviceId),
        _ => false,
    };

    private NodeDesired DesiredOf(NodeSnapshot node) => new(node.DesiredVersion, node.Roles, node.Periodic ? node.DialInterval : _tools.Options.SyncInterval,
        PollPlans.For(_office, node, _tools.Options.Discovery, _tools.Issuer), NodeWays.HopsOf(_office, node), NodeWays.CarriedBy(_office, node.NodeId), node.Periodic,
        UpdatePlans.For(_office, node, _tools.Options, _tools.Issuer),
        [.. Rendezvous.Order(node.NodeId.Value, _tools.Options.HeadquartersLinkAddresses, address => address)]);

    private DeviceState StateOf(Device device) =>
        new(device.Id, device.Known.DesiredVersion, device.Known.ReportedVersion, DesiredState.IntervalOf(_office, device, _tools.Options));

    // A device that moved has a newer document in its new office: a gateway that still meets it here must ask, and is led there.
    private DeviceState StateOf(DeviceForward forward) => new(forward.DeviceId, forward.DesiredVersion + 1, 0, _tools.Options.SyncInterval);

    private DeviceEnvelopeDown Sealed(Device device) => _envelopes.Seal(device, DesiredState.For(_office, device, _tools.Options));

    private static DeviceRefusedDown Removed(DeviceId device) => new(device, RefusalCode.Removed, $"device {device} was removed; enrol it anew");

    // ---- Presence ----

    private NodePresence PresenceOf(NodeSnapshot node) => new(node.NodeId, node.Linked, node.LinkSince, node.LinkReason);

    private void PublishPresence()
    {
        if (_network.Changes(_office.Id) is { } seen)
            Context.System.EventStream.Publish(seen);
        var devices = _presence.Review(_office, _tools.Options, Now);
        if (devices.Count == 0 && _nodesChanged.Count == 0)
            return;
        Context.System.EventStream.Publish(new PresenceChanged(_office.Id, [.. _nodesChanged.Values], devices));
        _nodesChanged.Clear();
    }

    // Batched: many devices report between two ticks.
    private void CountRollouts(bool again)
    {
        if (_office.IsOpen && _rollouts.Review(_office, Now, again) is { } counted)
            _tools.Company().Tell(counted);
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Most(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Spread(TimeSpan over) => over * (0.05 + 0.95 * Random.Shared.NextDouble());

    private sealed record BeginBatch
    {
        public static BeginBatch Instance { get; } = new();
    }

    private sealed record PresenceTick
    {
        public static PresenceTick Instance { get; } = new();
    }

    private sealed record NetworkTick
    {
        public static NetworkTick Instance { get; } = new();
    }

    private sealed record ResendTick
    {
        public static ResendTick Instance { get; } = new();
    }

    private sealed record RowsLook
    {
        public static RowsLook Instance { get; } = new();
    }
}
