using Akka.Actor;
using Fleet.Messages.Company;
using Fleet.Messages.Link;

namespace Fleet.Office.DistributionPoint;

/// <summary>DistributionPointActor → DownloadRunActor: end it; what came of a file stays.</summary>
/// <param name="As">Stopped, or cancelled.</param>
internal sealed record EndDownloadRun(DownloadOutcome As);

/// <summary>DownloadRunActor → DistributionPointActor: the run is over.</summary>
internal sealed record DownloadRunEnded(DownloadResult Result);

/// <summary>How a run ended, and what it lacks.</summary>
internal sealed record DownloadResult(DownloadOutcome Outcome, string Problem);

/// <summary>One run of a download task. Child of the DistributionPointActor; stops when the run is over, and ends it when it is stopped.</summary>
internal sealed class DownloadRunActor : ReceiveActor
{
    private readonly OfficeMirror _mirror;
    private readonly DownloadTask _task;
    private readonly CancellationTokenSource _end = new();
    private DownloadOutcome? _endsAs;

    public DownloadRunActor(OfficeMirror mirror, DownloadTask task)
    {
        (_mirror, _task) = (mirror, task);

        // Told to the parent once the run let go of everything: the next may begin then.
        Receive<EndDownloadRun>(end =>
        {
            _endsAs = end.As;
            _end.Cancel();
        });
        Receive<DownloadResult>(End);
        // Whatever a run ends by: the mirror stands as it did, and the next run tries again.
        Receive<Status.Failure>(failed => End(_endsAs is { } wanted ? new DownloadResult(wanted, "") : new DownloadResult(DownloadOutcome.Failed, failed.Cause.Message)));
    }

    public static Props Props(OfficeMirror mirror, DownloadTask task) => Akka.Actor.Props.Create(() => new DownloadRunActor(mirror, task));

    protected override void PreStart() => Task.Run(() => _mirror.Run(_task, _end.Token)).PipeTo(Self);

    protected override void PostStop()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private void End(DownloadResult result)
    {
        Context.Parent.Tell(new DownloadRunEnded(result));
        Context.Stop(Self);
    }
}
