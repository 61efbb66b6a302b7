using Akka.Actor;
using Akka.Event;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Cluster;

/// <summary>What the actor needs of the node that it stands for.</summary>
/// <param name="State">How the node is.</param>
/// <param name="Drain">Gives the node's work to the others and stops it; told once.</param>
/// <param name="SendHome">Sends office nodes on whose own headquarters node is there again, given the link addresses of all that are.</param>
/// <param name="ReadModelBehind">Told what the node that writes the read model says of it.</param>
/// <param name="ClockOff">Told how far another node's clock is ahead of this one's where that is too much; null: it is right, or the node is gone.</param>
internal sealed record HeadquartersNodeTools(
    Func<ClusterNodeState> State, Action<string> Drain, Action<IReadOnlyList<string>> SendHome, Action<TimeSpan> ReadModelBehind, Action<string, TimeSpan?> ClockOff, TimeProvider Clock);

/// <summary>
/// Stands for one headquarters node among the others: says how it is, drains it, and looks after the others, whose clocks and versions may differ. One a node,
/// at <see cref="Path"/>; lives as long as the node.
/// </summary>
internal sealed class HeadquartersNodeActor : ReceiveActor, IWithTimers
{
    public const string Name = "headquarters-node";

    /// <summary>Where the actor of any node is, behind the node's address.</summary>
    public const string Path = "/user/" + Name;

    /// <summary>Clocks that differ by more make presence and histories of the nodes contradict each other; certificates allow for five minutes.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <summary>An office node whose own headquarters node came back waits this long: one that starts over and over would make it move each time.</summary>
    private static readonly TimeSpan ComesHomeAfter = TimeSpan.FromSeconds(30);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly HeadquartersNodeTools _tools;
    private readonly Dictionary<Address, Known> _others = [];
    private long _askedAt;

    public HeadquartersNodeActor(HeadquartersNodeTools tools)
    {
        _tools = tools;

        Receive<GetClusterNode>(_ => Sender.Tell(_tools.State()));
        Receive<DrainClusterNode>(Handle);
        Receive<Look>(_ => LookAround());
        Receive<ClusterNodeState>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(HeadquartersNodeTools tools) => Akka.Actor.Props.Create(() => new HeadquartersNodeActor(tools));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), Look.Instance, LookEvery);

    private void Handle(DrainClusterNode drain)
    {
        _log.Info("This headquarters node gives its work to the others and stops, as {By} wants", drain.By);
        Sender.Tell(new ClusterNodeDraining());
        _tools.Drain(drain.By);
    }

    private void LookAround()
    {
        var up = _cluster.OthersTakingPart().Select(m => m.Address).ToHashSet();
        foreach (var gone in _others.Keys.Where(a => !up.Contains(a)).ToList())
        {
            _others.Remove(gone);
            _tools.ClockOff(ClusterSeeds.At(gone), null);
        }

        var now = _tools.Clock.GetTimestamp();
        List<string> home = [.. _others.Values.Where(o => o.State is { Draining: false, LinkAddress.Length: > 0 } && _tools.Clock.GetElapsedTime(o.Since, now) >= ComesHomeAfter).Select(o => o.State.LinkAddress)];
        if (home.Count > 0)
            _tools.SendHome(home);
        _askedAt = now;
        foreach (var other in up)
            Context.ActorSelection(new RootActorPath(other) / "user" / Name).Tell(new GetClusterNode());
    }

    private void Handle(ClusterNodeState state)
    {
        var trip = _tools.Clock.GetElapsedTime(_askedAt);
        var at = Sender.Path.Address;
        var known = _others.GetValueOrDefault(at);
        var off = state.Now - (_tools.Clock.GetUtcNow() - trip / 2);
        var wrong = off.Duration() > ClockTolerance + trip;
        _tools.ClockOff(ClusterSeeds.At(at), wrong ? off : null);
        // Told once for each, and again when it was right between.
        if (wrong && known is not { ClockWrong: true })
            _log.Warning("The clock of headquarters node {Address} is {Seconds} s off this one's: set both by NTP", state.Address, (long)off.TotalSeconds);
        if (known is null && state.Version != HeadquartersNode.Version)
            _log.Info("Headquarters node {Address} runs version {Version}, this one {Own}", state.Address, state.Version, HeadquartersNode.Version);
        if (state.ReadModelBehind is { } behind)
            _tools.ReadModelBehind(behind);
        _others[at] = new Known(known?.Since ?? _tools.Clock.GetTimestamp(), state, wrong);
    }

    /// <param name="Since">Since when it answers.</param>
    private sealed record Known(long Since, ClusterNodeState State, bool ClockWrong);

    private sealed record Look
    {
        public static Look Instance { get; } = new();
    }
}
