using Akka.Actor;
using Fleet.Messages.Link;

namespace Fleet.Office.DistributionPoint;

/// <summary>DownloadRunActor → DistributionPointActor: the run is over.</summary>
/// <param name="State">How the mirror stands after it.</param>
internal sealed record DownloadRunEnded(MirrorState State);

/// <summary>One run of the download tasks that were due. Child of the DistributionPointActor; stops when the run is over, and cancels it when it is stopped.</summary>
internal sealed class DownloadRunActor : ReceiveActor
{
    private readonly OfficeMirror _mirror;
    private readonly IReadOnlyList<string> _patterns;
    private readonly CancellationTokenSource _cancel = new();

    public DownloadRunActor(OfficeMirror mirror, IReadOnlyList<string> patterns)
    {
        (_mirror, _patterns) = (mirror, patterns);

        Receive<MirrorState>(state => End(state));
        // Whatever a run ends by: the mirror stands as it did, and the next run tries again.
        Receive<Status.Failure>(failed => End(_mirror.Fails(failed.Cause.Message)));
    }

    public static Props Props(OfficeMirror mirror, IReadOnlyList<string> patterns) => Akka.Actor.Props.Create(() => new DownloadRunActor(mirror, patterns));

    protected override void PreStart() => Task.Run(() => _mirror.Run(_patterns, _cancel.Token)).PipeTo(Self);

    protected override void PostStop()
    {
        _cancel.Cancel();
        _cancel.Dispose();
    }

    private void End(MirrorState state)
    {
        Context.Parent.Tell(new DownloadRunEnded(state));
        Context.Stop(Self);
    }
}
