using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Gateway;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Office.Roles;
using Fleet.Updates.Tuf;

namespace Fleet.Office.DistributionPoint;

/// <summary>OfficeActor → DistributionPointActor: what headquarters wants of it; again whenever it says so.</summary>
internal sealed record PlanChanged(UpdatePlan Plan);

/// <summary>OfficeActor → DistributionPointActor: there is a new epoch, in which headquarters has not heard the counts.</summary>
internal sealed record CountAnew;

/// <summary>DistributionPointActor → OfficeActor: how its mirror stands.</summary>
internal sealed record MirrorStands(MirrorState State);

/// <param name="Uplink">The relay.</param>
internal sealed record DistributionPointSetup(OfficeMirrorSetup Mirror, RolePort Port, TimeSpan PortRetry, IActorRef Uplink);

/// <summary>
/// Mirrors updates and serves them on the LAN. Child of the OfficeActor; made when the role is given, stopped when it is taken. Runs the download tasks,
/// one run at a time, each in a child; without a task of headquarters' it mirrors from there whatever devices should have.
/// </summary>
internal sealed class DistributionPointActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);
    private static readonly DownloadTask Standing = new("", [], [], [], DownloadSchedule.OnChange, "", TimeSpan.Zero, [], 0, Paused: false);

    private readonly DistributionPointSetup _setup;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly double _spread;
    private readonly DownloadRuns _runs;
    private OfficeMirror? _mirror;
    private UpdatePlan? _plan;
    private IActorRef? _run;
    // After a start there may be.
    private bool _changed = true;
    private int _failedRuns;
    private MirrorState? _stands;

    public DistributionPointActor(DistributionPointSetup setup)
    {
        _setup = setup;
        _spread = Spread(setup.Mirror.Node);
        _runs = new DownloadRuns(Path.Combine(setup.Mirror.Directory, "downloads.bin"), Now);

        Receive<Begin>(_ => Open());
        Receive<PlanChanged>(changed => Obey(changed.Plan));
        Receive<PortStands>(stands => Context.Parent.Tell(stands));
        Receive<LookAround>(_ =>
        {
            Stand(_mirror!.State());
            RunWhenDue();
        });
        Receive<SomethingNew>(_ => Changed());
        Receive<DownloadRunEnded>(Take);
        Receive<Noted>(noted =>
        {
            _setup.Uplink.Tell(new RecordEvent(noted.Kind, noted.Text));
            Stand(_mirror!.State());
        });
        Receive<CountDue>(_ => Count());
        Receive<CountAnew>(_ => _mirror?.CountAnew());
        Receive<ScrubDue>(_ => Task.Run(() => _mirror!.Scrub(CancellationToken.None)).PipeTo(Self, success: damaged => new Scrubbed(damaged), failure: fault => new Scrubbed(Damaged: false)));
        Receive<Scrubbed>(scrubbed =>
        {
            if (scrubbed.Damaged)
                Changed();
            Timers.StartSingleTimer(ScrubDue.Instance, ScrubDue.Instance, Options.ScrubEvery);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(DistributionPointSetup setup) => Akka.Actor.Props.Create(() => new DistributionPointActor(setup));

    private DistributionOptions Options => _setup.Mirror.Options;

    private DateTimeOffset Now => _setup.Mirror.Clock.GetUtcNow();

    private IReadOnlyList<DownloadTask> Tasks => _plan?.Tasks is { Count: > 0 } tasks ? tasks : [Standing];

    protected override void PreStart() => Self.Tell(Begin.Instance);

    protected override void PostStop() => _ = _mirror?.DisposeAsync();

    private void Open()
    {
        try
        {
            _mirror = new OfficeMirror(_setup.Mirror);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Context.Parent.Tell(new PortStands(null, $"the distribution point's directory can't be used: {fault.Message}"));
            Timers.StartSingleTimer(Begin.Instance, Begin.Instance, _setup.PortRetry);
            return;
        }

        var (self, mirror) = (Self, _mirror);
        mirror.Happened += (kind, text) => self.Tell(new Noted(kind, text));
        Context.ActorOf(PortRoleActor.Props(_setup.Port, async () => await mirror.Listen() is var ports ? (ports, ports.At) : default, _setup.PortRetry), "port");
        Timers.StartPeriodicTimer(LookAround.Instance, LookAround.Instance, LookEvery);
        Timers.StartPeriodicTimer(CountDue.Instance, CountDue.Instance, Options.CountsEvery);
        // Each node at a time of its own.
        Timers.StartSingleTimer(ScrubDue.Instance, ScrubDue.Instance, Options.ScrubEvery * Random.Shared.NextDouble());
        Stand(mirror.State());
        if (_plan is not null)
            Obey(_plan);
    }

    private void Obey(UpdatePlan plan)
    {
        var before = _plan;
        _plan = plan;
        if (_mirror is null)
            return;
        try
        {
            _mirror.Obey(plan, [.. Tasks.Where(t => !t.Paused).SelectMany(t => t.Sources).Distinct()]);
        }
        catch (TufException fault)
        {
            Stand(_mirror.Fails($"the root that headquarters named is not genuine: {fault.Message}"));
            return;
        }

        _mirror.Uplink.BytesPerSecond = Rate();
        if (_run is not null && Tasks.All(t => t.Paused))
        {
            // What came of a file stays for the run that goes on with it.
            Context.Stop(_run);
            _run = null;
        }

        if (ReferenceEquals(before, plan))
            RunWhenDue();
        else
            Changed();
    }

    private void Changed()
    {
        _changed = true;
        RunWhenDue();
    }

    private void RunWhenDue()
    {
        if (_mirror is null || _plan is null)
            return;
        _mirror.Uplink.BytesPerSecond = Rate();
        if (_run is not null)
            return;
        var due = Tasks.Where(t => DownloadSchedule.IsDue(t, _runs.Of(t.Name), _changed, _spread, Now)).ToList();
        if (due.Count == 0)
            return;
        try
        {
            _runs.Began(due.Select(t => new DownloadRunRecord(t.Name, Now, t.RunNumber)), [.. Tasks.Select(t => t.Name)]);
        }
        catch (StorageException fault)
        {
            // Run all the same: to run twice is better than not to.
            _log.Error("{Problem}", fault.Message);
        }

        _changed = false;
        _run = Context.ActorOf(DownloadRunActor.Props(_mirror, [.. due.SelectMany(t => t.Patterns).Distinct()]));
    }

    private void Take(DownloadRunEnded ended)
    {
        if (!Sender.Equals(_run))
            return;
        _run = null;
        Stand(ended.State);
        _failedRuns = ended.State.Problem.Length > 0 ? _failedRuns + 1 : 0;
        // What lacks is tried again sooner.
        var wait = _failedRuns == 0
            ? Backoff.Periodic(Options.RefreshEvery, Random.Shared)
            : new Backoff(Options.RetryAfter).AfterFailures(_failedRuns, Options.RefreshEvery, TimeSpan.Zero, Random.Shared);
        Timers.StartSingleTimer(SomethingNew.Instance, SomethingNew.Instance, wait);
        Count();
        RunWhenDue();
    }

    private void Stand(MirrorState state)
    {
        if (_stands is { } before && before.Timestamp == state.Timestamp && before.Problem == state.Problem && before.Whole.SequenceEqual(state.Whole))
            return;
        if (state.Problem.Length > 0 && state.Problem != _stands?.Problem)
            _log.Warning("The distribution point lacks something: {Problem}", state.Problem);
        _stands = state;
        Context.Parent.Tell(new MirrorStands(state));
    }

    private void Count()
    {
        try
        {
            if (_mirror?.TakeCounts() is { } counts)
                _setup.Uplink.Tell(new SendUp([counts]));
        }
        catch (Exception fault) when (fault is StorageException or IOException)
        {
            _log.Warning("What went through the distribution point can't be saved: {Problem}", fault.Message);
        }
    }

    // The office's budget, shared by its distribution points.
    private long Rate() => DownloadSchedule.RateAt(Tasks, Now) is { } rate ? Math.Max(1, rate / (1 + (_plan?.Peers.Count ?? 0))) : long.MaxValue;

    private static double Spread(NodeId node) => System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(node.Value))[0] / 256.0;

    private sealed record Noted(string Kind, string Text);

    private sealed record Scrubbed(bool Damaged);

    private sealed record Begin
    {
        public static readonly Begin Instance = new();
    }

    private sealed record LookAround
    {
        public static readonly LookAround Instance = new();
    }

    private sealed record SomethingNew
    {
        public static readonly SomethingNew Instance = new();
    }

    private sealed record CountDue
    {
        public static readonly CountDue Instance = new();
    }

    private sealed record ScrubDue
    {
        public static readonly ScrubDue Instance = new();
    }
}
