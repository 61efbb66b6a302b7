using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Rollouts;

/// <summary>What offices last counted. Part of the company, on its thread; never journaled: after a restart the offices say it again.</summary>
internal sealed class RolloutCounts
{
    private readonly Dictionary<OfficeId, CountRollouts> _offices = [];

    /// <summary>Whether something changed since this was last set back.</summary>
    public bool Changed { get; set; }

    public void Take(CountRollouts counted)
    {
        _offices[counted.OfficeId] = counted;
        Changed = true;
    }

    public void Forget(OfficeId office) => Changed |= _offices.Remove(office);

    /// <param name="offices">All there are.</param>
    public RolloutTally Of(Rollout rollout, IEnumerable<OfficeId> offices)
    {
        if (rollout.Known.State == RolloutState.Halted)
            return new RolloutTally(IsWhole: true, rollout.Known.Counts);
        var whole = offices.All(o => _offices.TryGetValue(o, out var counted) && counted.BookVersion >= rollout.Known.BookVersion);
        var counts = _offices.Values.SelectMany(o => o.Counts).Where(c => c.Rollout == rollout.Name).ToLookup(c => c.Ring);
        return new RolloutTally(whole, [.. rollout.Plan.Rings.Take(rollout.Known.Reached).Select(r => Sum(rollout.Name, r.Name, counts[r.Name]))]);
    }

    private static RingCount Sum(RolloutName rollout, string ring, IEnumerable<RingCount> counts) => counts.Aggregate(
        new RingCount(rollout, ring, 0, 0, 0, 0),
        (sum, c) => new RingCount(rollout, ring, sum.Picked + c.Picked, sum.Installed + c.Installed, sum.Failed + c.Failed, sum.RolledBack + c.RolledBack));
}
