using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Gateway;
using Fleet.Messages.Link;
using Fleet.Messages.Networks;

namespace Fleet.Office.Discovery;

/// <summary>What one run is asked for, as it came.</summary>
public sealed record PollRunSetup(PollId PollId, PollMethod Method, bool Full, IReadOnlyList<string> Ranges, bool AllowLarge, IReadOnlyList<DirectorySource> Directories);

/// <summary>
/// One run of a poll: checks what it is asked for, lets the method work beside, and tells headquarters how far it is, what it saw and how it ended. Child of the
/// MethodPoller; stops when the run is over.
/// </summary>
public sealed class PollRunActor : ReceiveActor, IWithTimers
{
    /// <summary>Sightings of one item together, in bytes: a frame must hold it beside others.</summary>
    private const int MaxItemBytes = 32 * 1024;

    private readonly PollRunSetup _wanted;
    private readonly IPollMethod _way;
    private readonly PollerSetup _setup;
    private readonly Pace _pace;
    private readonly IActorRef _relay;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, Sighting> _unsent = [];
    private PollRun? _run;
    private EndRun? _end;
    private PollProgress? _told;

    public PollRunActor(PollRunSetup wanted, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay)
    {
        (_wanted, _way, _setup, _pace, _relay) = (wanted, way, setup, pace, relay);

        // Those of two threads may come in either order.
        Receive<Seen>(seen => _unsent[seen.Key] = _unsent.TryGetValue(seen.Key, out var before) ? SightingRule.Joined(before, seen.Sighting) : seen.Sighting);
        Receive<ProgressTick>(_ => Tell());
        Receive<EndRun>(end =>
        {
            _end ??= end;
            _stop.Cancel();
        });
        Receive<WorkEnded>(ended => End(ended.Fault));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(PollRunSetup wanted, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay) =>
        Akka.Actor.Props.Create(() => new PollRunActor(wanted, way, setup, pace, relay));

    protected override void PreStart()
    {
        var ranges = RangeList.Read(_wanted.Ranges, _wanted.AllowLarge, out var problems);
        var self = Self;
        _run = new PollRun(new PollOrder(_wanted.Method, _wanted.Full, ranges, Directories(out var sealedOnes)), _pace, _setup.Clock, sighting => self.Tell(new Seen(sighting)));
        sealedOnes.ForEach(_run.CannotSee);
        if (problems.Count > 0)
        {
            Finish(PollOutcome.Refused, string.Join("; ", problems));
            return;
        }

        Tell();
        Timers.StartPeriodicTimer(ProgressTick.Instance, ProgressTick.Instance, _setup.Options.ProgressEvery);
        var (way, run, stop) = (_way, _run, _stop.Token);
        Task.Run(() => way.Run(run, stop), CancellationToken.None).PipeTo(Self, success: () => new WorkEnded(null), failure: fault => new WorkEnded(fault));
    }

    protected override void PostStop() => _stop.Cancel();

    private List<DirectoryServer> Directories(out List<string> unreadable)
    {
        unreadable = [];
        var servers = new List<DirectoryServer>();
        foreach (var source in _wanted.Directories)
            try
            {
                servers.Add(new DirectoryServer(source, source.Password.IsEmpty ? null : _setup.OpenPassword(source.Password)));
            }
            catch (EnvelopeException fault)
            {
                unreadable.Add($"what the directory {source.Host}:{source.Port} knows: its password can't be read: {fault.Message}");
            }

        return servers;
    }

    private void Tell()
    {
        SendSightings();
        var (done, total) = _run!.Progress;
        var progress = new PollProgress(_wanted.PollId, _wanted.Method, _wanted.Full, _run.StartedAt, done, total, _run.Found, _run.Pace.Packets);
        if (progress == _told)
            return;
        _told = progress;
        _relay.Tell(new SendUp([progress]));
    }

    private void SendSightings()
    {
        var part = new List<Sighting>();
        var bytes = 0;
        foreach (var sighting in _unsent.Values)
        {
            var size = SightingRule.SizeOf(sighting);
            if (part.Count == Sightings.Most || (part.Count > 0 && bytes + size > MaxItemBytes))
            {
                _relay.Tell(new SendUp([new Sightings(_wanted.PollId, _wanted.Method, part)]));
                (part, bytes) = ([], 0);
            }

            part.Add(sighting);
            bytes += size;
        }

        if (part.Count > 0)
            _relay.Tell(new SendUp([new Sightings(_wanted.PollId, _wanted.Method, part)]));
        _unsent.Clear();
    }

    private void End(Exception? fault)
    {
        switch (fault)
        {
            case null:
                Finish(PollOutcome.Completed, "");
                break;
            // Whatever a cancelled method trips over comes of that.
            case not null when _end is { } end:
                Finish(end.Outcome, end.Why);
                break;
            case PollFailedException failed:
                Finish(PollOutcome.Failed, failed.Message);
                break;
            default:
                // A bug of the method's: headquarters is told, the others go on.
                _log.Error(fault, "Poll {PollId} broke", _wanted.PollId);
                Finish(PollOutcome.Failed, $"it broke: {fault.Message}");
                break;
        }
    }

    private void Finish(PollOutcome outcome, string why)
    {
        var run = _run!;
        SendSightings();
        _log.Info("Poll {PollId} ended: {Outcome}, {Found} found, {Packets} packets. {Why}", _wanted.PollId, outcome, run.Found, run.Pace.Packets, why);
        _relay.Tell(new SendUp([new PollEnded(_wanted.PollId, _wanted.Method, _wanted.Full, run.StartedAt, _setup.Clock.GetUtcNow(), outcome, SeenText.Cut(why),
            run.Progress.Done, run.Found, run.Pace.Packets, run.Blind)]));
        Context.Parent.Tell(new RunOver(_wanted.PollId));
        Context.Stop(Self);
    }

    private sealed record Seen(Sighting Sighting)
    {
        public string Key { get; } = SightingRule.KeyOf(Sighting)!;
    }

    private sealed record WorkEnded(Exception? Fault);

    private sealed record ProgressTick
    {
        public static readonly ProgressTick Instance = new();
    }
}
