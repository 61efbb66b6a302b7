using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Fleet.Contracts;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Rules;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Company;

/// <summary>
/// Owns which offices exist and the policy book; cluster singleton. Opens each office's twin and hands it the book, again and again until the twin
/// has both, so that a lost message or a restart anywhere costs no more than one interval. That also wakes every twin after a start.
/// </summary>
public sealed class CompanyActor : ReceivePersistentActor, IWithTimers
{
    /// <summary>The one company.</summary>
    public const string Id = "company";

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly OfficeTools _tools;
    private readonly ConnectionBudgets _budgets;
    private readonly BookHandOver _books;
    private readonly Dictionary<OfficeId, string> _refusals = [];
    private readonly RolloutCounts _counts = new();
    private readonly SnapshotPlan _snapshots;
    private Company _company = new();

    public CompanyActor(OfficeTools tools, ConnectionBudgets budgets)
    {
        (_tools, _budgets, _snapshots) = (tools, budgets, new SnapshotPlan(tools.Options.SnapshotWithin));
        _books = new BookHandOver(said => tools.Offices().Tell(said));

        if (tools.Unreadable.IsSetAside(PersistenceId))
        {
            SetAside();
            return;
        }

        Recover<SnapshotOffer>(offer =>
        {
            _company = Company.From((CompanySnapshot)offer.Snapshot);
            _snapshots.Offered(offer.Metadata);
        });
        Recover<ICompanyEvent>(Happened);
        Recover<RecoveryCompleted>(_ =>
        {
            _tools.Meter.Journal.Read(PersistenceId);
            _snapshots.Recovered(Now, overdue: TimeSpan.Zero);
            _books.Review(_company);
        });

        Command<RemoveOffice>(Handle);
        Command<OfficeClosing>(Handle);
        Command<WantConnections>(asked => Decided(_company.Decide(asked, _budgets, Now)));
        Command<HaltRollout>(halt => Decided(RolloutRules.Decide(_company, halt, TallyOf, Now)));
        Command<WithdrawVersion>(withdraw => Decided(RolloutRules.Decide(_company, withdraw, TallyOf, Now)));
        Command<CountRollouts>(counted =>
        {
            _counts.Take(counted);
            Sender.Tell(new RolloutsCounted(counted.OfficeId, counted.Number));
        });
        Command<ICompanyCommand>(command => Decided(_company.Decide(command, Now)));
        Command<GetPolicyBook>(query => Sender.Tell(new AdoptPolicyBook(query.OfficeId, _company.Book)));
        Command<PolicyBookAdopted>(adopted => _books.HasPolicies(_company, adopted.OfficeId, adopted.Version));
        Command<RuleBookAdopted>(adopted => _books.HasRules(_company, adopted.OfficeId, adopted.Version));
        Command<UpdateBookAdopted>(adopted => _books.HasUpdates(_company, adopted.OfficeId, adopted.Version));
        Command<OfficeAccepted>(accepted => _refusals.Remove(accepted.OfficeId));
        Command<OfficeRefused>(Handle);
        Command<ResendTick>(_ =>
        {
            _books.Tick(_company);
            SnapshotWhenDue();
            DeleteOldEvents();
        });
        Command<RolloutTick>(_ => StepRollouts());
        Command<SaveSnapshotSuccess>(Handle);
        Command<SaveSnapshotFailure>(Handle);
        Command<DeleteMessagesSuccess>(_ => { });
        Command<DeleteMessagesFailure>(f => _log.Warning("The company could not delete old events: {Reason}", f.Cause.Message));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(f => _log.Warning("The company could not delete old snapshots: {Reason}", f.Cause.Message));
    }

    public override string PersistenceId => Id;

    /// <summary>None where its rows can't be read.</summary>
    public override Recovery Recovery => _tools.Unreadable.IsSetAside(PersistenceId) ? Recovery.None : base.Recovery;

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(OfficeTools tools, ConnectionBudgets budgets) => Akka.Actor.Props.Create(() => new CompanyActor(tools, budgets));

    private DateTimeOffset Now => _tools.Clock.GetUtcNow();

    protected override void PreStart()
    {
        base.PreStart();
        Timers.StartPeriodicTimer(nameof(ResendTick), ResendTick.Instance, _tools.Options.ResendEvery);
        Timers.StartPeriodicTimer(nameof(RolloutTick), RolloutTick.Instance, _tools.Options.PresenceEvery);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        // The journal itself works.
        if (_tools.Unreadable.SetAside(PersistenceId, reason))
        {
            _log.Error("The company is set aside: {Reason}. What is asked of it is refused; offices go on", _tools.Unreadable.Why(PersistenceId));
            return;
        }

        if (message is null)
            _log.Error("The company's journal can't be read; it starts again after a wait: {Reason}", _tools.JournalFailed(PersistenceId, reason));
        else
            base.OnRecoveryFailure(reason, message);
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        _log.Error("The company's journal can't be written, and nothing was answered; it starts again after a wait: {Reason}", _tools.JournalFailed(PersistenceId, cause));

    // Offices go on by the books that they have.
    private void SetAside()
    {
        Recover<object>(_ => { });
        Command<ICompanyCommand>(_ => Sender.Tell(new CompanyRefused(RefusalCode.Busy, _tools.Unreadable.Why(PersistenceId))));
        Command<ResendTick>(_ => _tools.Unreadable.Look(PersistenceId, Self));
        Command<RowsSeen>(seen =>
        {
            if (!seen.AllReadable)
                return;
            _log.Info("The company can be read again");
            _tools.Unreadable.TakeBack(PersistenceId);
            Context.Stop(Self);
        });
        CommandAny(_ => { });
    }

    private void Decided(CompanyDecision decision) => Store(decision.Events, Sender, decision.Reply);

    // It is told the same at each tick: it refuses as often.
    private void Handle(OfficeRefused refused)
    {
        if (_refusals.GetValueOrDefault(refused.OfficeId) != refused.Detail)
            _log.Warning("Office {OfficeId} refused: {Detail}", refused.OfficeId, refused.Detail);
        _refusals[refused.OfficeId] = refused.Detail;
        _books.Refused(_company, refused.OfficeId);
    }

    private RolloutTally TallyOf(Rollout rollout) => _counts.Of(rollout, _company.Offices.Values.Select(o => o.OfficeId));

    // By the clock, not at each count: rings soak, and many offices count at a time.
    private void StepRollouts()
    {
        foreach (var rollout in _counts.Changed ? _company.Rollouts.Where(r => r.Known.State != RolloutState.Halted) : [])
        {
            var tally = TallyOf(rollout);
            Context.System.EventStream.Publish(new RolloutStanding(rollout.Name, rollout.WaitsFor(tally), tally.Rings));
        }

        _counts.Changed = false;
        if (RolloutRules.Step(_company, TallyOf, Now) is { Count: > 0 } events)
            Store(events, ActorRefs.Nobody, new CompanyAccepted());
    }

    // The office decides whether it may be closed; the list follows.
    private void Handle(RemoveOffice command)
    {
        var sender = Sender;
        if (!_company.Offices.ContainsKey(command.OfficeId.Value))
        {
            sender.Tell(Company.Refuse(RefusalCode.NotFound, $"there is no office {command.OfficeId}").Reply);
            return;
        }

        _tools.Offices().Ask<IOfficeReply>(new CloseOffice(command.OfficeId, command.Force, command.By), _tools.Options.ResendEvery)
            .PipeTo(Self,
                success: reply => new OfficeClosing(command, reply, sender),
                failure: fault => new OfficeClosing(command, new OfficeRefused(command.OfficeId, RefusalCode.Busy, $"the office did not answer: {fault.Message}"), sender));
    }

    private void Handle(OfficeClosing closing)
    {
        // An office that is closed already (an earlier try was cut off) refuses with NotFound: done all the same.
        if (closing.Reply is OfficeRefused refused && refused.Code != RefusalCode.NotFound)
            closing.Asker.Tell(new CompanyRefused(refused.Code, refused.Detail));
        else
        {
            var gone = new OfficeRemoved(closing.Command.OfficeId, closing.Command.By, Now);
            Store([gone, .. RuleRules.Without(_company, gone)], closing.Asker, new CompanyAccepted());
        }
    }

    private void Store(IReadOnlyList<ICompanyEvent> events, IActorRef asker, ICompanyReply reply) =>
        this.PersistAllOrNone(events, _tools.Meter, Happened, () =>
        {
            foreach (var gone in events.OfType<OfficeRemoved>())
            {
                _books.Forget(gone.OfficeId);
                _counts.Forget(gone.OfficeId);
            }

            // Before the answer: what the asker sends to a new office next must find it open.
            foreach (var added in events.OfType<OfficeAdded>())
                _books.Begin(_company, added.OfficeId);
            if (events.Count > 0)
                _books.Review(_company);
            _counts.Changed |= events.Any(e => e is IRolloutEvent);
            foreach (var halted in events.OfType<RolloutHalted>())
                _log.Warning("Rollout {Rollout} is halted: {Reason}", halted.Name, halted.Why);
            foreach (var done in events.OfType<RolloutDone>())
                _log.Info("Rollout {Rollout} is done", done.Name);
            asker.Tell(reply);
            SnapshotWhenDue();
        });

    private void Happened(ICompanyEvent e)
    {
        _company = _company.Apply(e);
        _snapshots.Count(1);
    }

    private void SnapshotWhenDue()
    {
        if (_snapshots.Begin(Now, _tools.Options.SnapshotEvery))
            SaveSnapshot(_company.ToSnapshot());
    }

    private void Handle(SaveSnapshotSuccess saved)
    {
        _snapshots.Saved(saved.Metadata);
        DeleteOldEvents();
    }

    private void Handle(SaveSnapshotFailure failed)
    {
        _log.Warning("The company could not save a snapshot and tries again: {Reason}", failed.Cause.Message);
        _snapshots.Failed(Now);
    }

    private void DeleteOldEvents()
    {
        if (_snapshots.Over(_tools.ProjectedTo(PersistenceId)) is not { } over)
            return;
        DeleteSnapshots(new SnapshotSelectionCriteria(over - 1));
        DeleteMessages(over);
    }

    private sealed record OfficeClosing(RemoveOffice Command, IOfficeReply Reply, IActorRef Asker);

    private sealed record ResendTick
    {
        public static ResendTick Instance { get; } = new();
    }

    private sealed record RolloutTick
    {
        public static RolloutTick Instance { get; } = new();
    }
}
