using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Rollouts;

/// <summary>One rollout: how far it has got, and what follows from how its devices stand. Pure: no clock, no I/O.</summary>
public sealed record Rollout(RolloutSnapshot Known)
{
    public const string ByItself = "headquarters";

    public RolloutName Name => Known.Plan.Name;

    public RolloutPlan Plan => Known.Plan;

    public bool IsOver => Known.State is RolloutState.Halted or RolloutState.Done;

    /// <summary>The ring that was reached last.</summary>
    public RingPlan Ring => Plan.Rings[Known.Reached - 1];

    /// <summary>What devices are told; null: it was rolled back.</summary>
    public Release? Release => Known.RolledBack ? null : new Release(
        Name.Value, Plan.Package, Plan.PackageVersion, Plan.Kind, Plan.Manifest, Plan.Length, Plan.For,
        [.. Plan.Rings.Take(Known.Reached).Select(r => new ReleaseRing(r.Name, r.Picks, r.Percent))], Plan.Parameters, Kept: Known.State == RolloutState.Halted);

    /// <summary>Whether it has taken the place of an older rollout, on all devices of that one.</summary>
    public bool Replaces(Rollout older) => Known.State == RolloutState.Done && Plan.Package == older.Plan.Package && Covers(Plan.For, older.Plan.For);

    public static Rollout From(RolloutCreated e) => new(new RolloutSnapshot(
        e.Plan, RolloutState.Running, Reached: 1, e.BookVersion, e.At, SoaksUntil: null, Why: "", RolledBack: false, Counts: [], e.By, e.At, EndedAt: null, Failed: null));

    public Rollout Apply(IRolloutEvent happened) => new(happened switch
    {
        RolloutRingSucceeded e => Known with { SoaksUntil = e.SoaksUntil },
        RolloutAdvanced e => Known with { Reached = e.Reached, BookVersion = e.BookVersion, ReachedAt = e.At, SoaksUntil = null },
        RolloutPaused => Known with { State = RolloutState.Paused },
        RolloutResumed => Known with { State = RolloutState.Running },
        RolloutHalted e => Known with { State = RolloutState.Halted, Why = e.Why, RolledBack = e.RolledBack, Counts = e.Counts, EndedAt = e.At, Failed = e.Failures },
        RolloutDone e => Known with { State = RolloutState.Done, EndedAt = e.At },
        _ => throw new NotSupportedException($"{happened.GetType().Name} does not change a rollout"),
    });

    /// <summary>What follows now; null: nothing.</summary>
    /// <param name="nextBook">Version of the book of updates that the next ring would be in.</param>
    public IRolloutEvent? Step(RolloutTally tally, ulong nextBook, DateTimeOffset now)
    {
        if (IsOver)
            return null;
        if (Plan.Rings.Take(Known.Reached).Select(r => TooMany(r, tally.Of(r.Name))).FirstOrDefault(w => w is not null) is { } why)
            return new RolloutHalted(Name, why, Plan.RollBack, tally.Rings, ByItself, now, tally.Failures);
        // Who has not counted under the book that has the ring may know of more devices in it.
        if (Known.State == RolloutState.Paused || !tally.IsWhole)
            return null;
        var count = tally.Of(Ring.Name);
        if (Known.SoaksUntil is not { } until)
            return Succeeded(count) ? new RolloutRingSucceeded(Name, Ring.Name, count.Picked == 0 ? now : now + Ring.Soak, now) : null;
        if (now < until)
            return null;
        return Known.Reached == Plan.Rings.Count ? new RolloutDone(Name, now) : new RolloutAdvanced(Name, Known.Reached + 1, nextBook, now);
    }

    /// <summary>What a rollout that goes on waits for, for people; empty: nothing.</summary>
    public string WaitsFor(RolloutTally tally)
    {
        var count = tally.Of(Ring.Name);
        return Known switch
        {
            { State: RolloutState.Paused } => "paused",
            { State: not RolloutState.Running } => "",
            { SoaksUntil: { } until } => $"ring {Ring.Name} soaks until {until:u}",
            _ when !tally.IsWhole => "offices count their devices",
            _ when count.Picked == 0 => $"ring {Ring.Name} picks no device",
            _ => $"{Needed(count) - count.Installed} more of {count.Picked} devices of ring {Ring.Name}",
        };
    }

    // A first ring that picks nobody is a mistake in its selector, or its devices are still to come: going on would try the version on everybody at once.
    private bool Succeeded(RingCount count) => count.Picked == 0 ? Known.Reached > 1 : count.Installed >= Needed(count);

    private int Needed(RingCount count) => (int)Math.Ceiling(count.Picked * Ring.SuccessPercent / 100.0);

    private static string? TooMany(RingPlan ring, RingCount count)
    {
        var failed = count.Failed + count.RolledBack;
        var tooMany = (ring.FailCount > 0 && failed >= ring.FailCount) || (ring.FailPercent > 0 && failed > 0 && failed * 100L >= (long)ring.FailPercent * count.Picked);
        return tooMany ? $"{failed} of {count.Picked} devices of ring {ring.Name} failed" : null;
    }

    private static bool Covers(ReleaseSelector one, ReleaseSelector other) =>
        (one.Offices.Count == 0 || (other.Offices.Count > 0 && other.Offices.All(one.Offices.Contains)))
        && (one.Devices.Count == 0 || (other.Devices.Count > 0 && other.Devices.All(one.Devices.Contains)))
        && one.Labels.All(l => other.Labels.TryGetValue(l.Key, out var value) && value == l.Value);
}

/// <summary>How a rollout stands over all offices.</summary>
/// <param name="IsWhole">Every office has counted under the book that has its newest ring.</param>
/// <param name="Failures">Some of the devices that failed.</param>
public sealed record RolloutTally(bool IsWhole, IReadOnlyList<RingCount> Rings, IReadOnlyList<RolloutFailure> Failures)
{
    public RingCount Of(string ring) => Rings.FirstOrDefault(r => r.Ring == ring) ?? new RingCount(default, ring, 0, 0, 0, 0);
}
