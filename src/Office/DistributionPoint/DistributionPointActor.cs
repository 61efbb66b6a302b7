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
/// one at a time, each run in a child; without a task of headquarters' it mirrors from there whatever devices should have.
/// </summary>
internal sealed class DistributionPointActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);
    private static readonly DownloadTask Standing = new("", [], [], [], DownloadTask.OnChange, "", TimeSpan.Zero, [], 0, Paused: false);

    private readonly DistributionPointSetup _setup;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly double _spread;
    private readonly DownloadRuns _runs;
    private OfficeMirror? _mirror;
    private readonly Dictionary<string, DownloadRun> _told = [];
    // The tasks that have looked since there was something new; after a start there may be.
    private readonly HashSet<string> _looked = [];
    private UpdatePlan? _plan;
    private RunUnderWay? _run;
    private MirrorState? _stands;

    public DistributionPointActor(DistributionPointSetup setup)
    {
        _setup = setup;
        _spread = Spread(setup.Mirror.Node);
        _runs = new DownloadRuns(Path.Combine(setup.Mirror.Directory, "downloads.bin"));

        Receive<Begin>(_ => Open());
        Receive<PlanChanged>(changed => Obey(changed.Plan));
        Receive<PortStands>(stands => Context.Parent.Tell(stands));
        Receive<LookAround>(_ =>
        {
            if (_run is { } run && Now - run.Began.At >= LookEvery)
                Tell(run.Began);
            Stand();
            RunWhenDue();
        });
        Receive<SomethingNew>(_ => Changed());
        Receive<DownloadRunEnded>(Take);
        Receive<Noted>(noted =>
        {
            _setup.Uplink.Tell(new RecordEvent(noted.Kind, noted.Text));
            Stand();
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
        mirror.Behind += () => self.Tell(SomethingNew.Instance);
        mirror.Happened += (kind, text) => self.Tell(new Noted(kind, text));
        Context.ActorOf(PortRoleActor.Props(_setup.Port, async () => await mirror.Listen() is var ports ? (ports, ports.At) : default, _setup.PortRetry), "port");
        Timers.StartPeriodicTimer(LookAround.Instance, LookAround.Instance, LookEvery);
        Timers.StartPeriodicTimer(CountDue.Instance, CountDue.Instance, Options.CountsEvery);
        // Each node at a time of its own.
        Timers.StartSingleTimer(ScrubDue.Instance, ScrubDue.Instance, Options.ScrubEvery * Random.Shared.NextDouble());
        Stand();
        if (_plan is not null)
            Obey(_plan);
    }

    private void Obey(UpdatePlan plan)
    {
        var before = _plan;
        _plan = plan;
        if (_mirror is null)
            return;
        Kept(() => _runs.Know(Tasks, Now));
        foreach (var gone in _told.Keys.Except(Tasks.Select(t => t.Name)).ToList())
            _told.Remove(gone);
        foreach (var task in Tasks.Where(t => !_told.ContainsKey(t.Name)))
            Tell(_runs.Of(task.Name));
        try
        {
            _mirror.Obey(plan, Tasks);
        }
        catch (TufException fault)
        {
            _mirror.Lacks(Tasks[0].Name, $"the root that headquarters named is not genuine: {fault.Message}");
            Stand();
            return;
        }

        _mirror.Uplink.BytesPerSecond = Rate();
        EndUnwanted();
        Stand();
        if (ReferenceEquals(before, plan))
            RunWhenDue();
        else
            Changed();
    }

    // What came of a file stays for the run that goes on with it.
    private void EndUnwanted()
    {
        if (_run is not { } run)
            return;
        var task = Tasks.FirstOrDefault(t => t.Name == run.Began.Task);
        if (task is null || task.CancelNumber > run.Began.CancelNumber)
            run.Actor.Tell(new EndDownloadRun(DownloadOutcome.Cancelled));
        else if (task.Paused)
            run.Actor.Tell(new EndDownloadRun(DownloadOutcome.Stopped));
    }

    private void Changed()
    {
        _looked.Clear();
        RunWhenDue();
    }

    private void RunWhenDue()
    {
        if (_mirror is null || _plan is null)
            return;
        _mirror.Uplink.BytesPerSecond = Rate();
        if (_run is null && Tasks.FirstOrDefault(t => DownloadSchedule.IsDue(t, _runs.Of(t.Name), !_looked.Contains(t.Name), _spread, Now)) is { } due)
            BeginRun(_mirror, due);
    }

    private void BeginRun(OfficeMirror mirror, DownloadTask task)
    {
        var last = _runs.Of(task.Name);
        var began = new DownloadRunRecord(task.Name, Now, task.RunNumber, DownloadOutcome.Running, CancelNumber: task.CancelNumber, Failures: last.Failures);
        // To run twice is better than not to.
        Kept(() => _runs.Put(began));
        _looked.Add(task.Name);
        // A look for something new is told when it finds that, or lasts.
        var isLook = task.RunNumber == last.RunNumber && (task.Schedule == DownloadTask.OnChange || last.RetryAt is not null);
        _run = new RunUnderWay(began, isLook, Context.ActorOf(DownloadRunActor.Props(mirror, task)));
        if (isLook)
            return;
        Tell(began);
        Stand();
    }

    private void Take(DownloadRunEnded ended)
    {
        if (_run is not { } run || !Sender.Equals(run.Actor))
            return;
        _run = null;
        var (outcome, problem) = (ended.Result.Outcome, ended.Result.Problem);
        var lacks = outcome is DownloadOutcome.Partial or DownloadOutcome.Failed;
        var failures = lacks ? run.Began.Failures + 1 : 0;
        // What lacks is tried again sooner.
        var wait = lacks
            ? new Backoff(Options.RetryAfter).AfterFailures(failures, Options.RefreshEvery, TimeSpan.Zero, Random.Shared)
            : Backoff.Periodic(Options.RefreshEvery, Random.Shared);
        if (Tasks.Any(t => t.Name == run.Began.Task))
        {
            // What was ended before its end says nothing.
            if (lacks || outcome == DownloadOutcome.Full)
                _mirror!.Lacks(run.Began.Task, problem);
            var done = run.Began with { Outcome = outcome, EndedAt = Now, Problem = problem, Failures = failures, RetryAt = lacks ? Now + wait : null };
            Kept(() => _runs.Put(done));
            Tell(done, unlessAlike: run.IsLook);
        }

        Timers.StartSingleTimer(SomethingNew.Instance, SomethingNew.Instance, wait);
        Stand();
        Count();
        RunWhenDue();
    }

    private void Tell(DownloadRunRecord run, bool unlessAlike = false)
    {
        // Headquarters has no task of that name.
        if (run.Task.Length == 0 || run.Told() is not { } now)
            return;
        if (unlessAlike && _told.GetValueOrDefault(run.Task) is { } before && (before.RunNumber, before.Outcome, before.Problem) == (now.RunNumber, now.Outcome, now.Problem))
            return;
        _told[run.Task] = now;
    }

    private void Kept(Action keep)
    {
        try
        {
            keep();
        }
        catch (StorageException fault)
        {
            _log.Error("{Problem}", fault.Message);
        }
    }

    private void Stand()
    {
        var state = _mirror!.State() with { Runs = [.. _told.Values.OrderBy(r => r.Task, StringComparer.Ordinal).Take(MirrorState.MaxRuns)] };
        if (_stands is { } before && before.Timestamp == state.Timestamp && before.Problem == state.Problem && before.Whole.SequenceEqual(state.Whole) && before.Runs!.SequenceEqual(state.Runs))
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

    /// <param name="IsLook">It looks whether there is something new, or tries again.</param>
    private sealed record RunUnderWay(DownloadRunRecord Began, bool IsLook, IActorRef Actor);

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
