using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Rollouts;

/// <summary>What offices last counted. Part of the company, on its thread; never journaled: after a restart the offices say it again.</summary>
internal sealed class RolloutCounts
{
    private readonly Dictionary<OfficeId, CountRollouts> _offices = [];

    private readonly Dictionary<(RolloutName Rollout, string Ring), RingCount> _sums = [];
    private bool _stale;

    /// <summary>Whether something changed since this was last set back.</summary>
    public bool Changed { get; set; }

    public void Take(CountRollouts counted)
    {
        _offices[counted.OfficeId] = counted;
        _stale = Changed = true;
    }

    public void Forget(OfficeId office)
    {
        if (_offices.Remove(office))
            _stale = Changed = true;
    }

    /// <param name="offices">All there are.</param>
    public RolloutTally Of(Rollout rollout, IEnumerable<OfficeId> offices)
    {
        if (rollout.Known.State == RolloutState.Halted)
            return new RolloutTally(IsWhole: true, rollout.Known.Counts, rollout.Known.Failures);
        Sum();
        var whole = offices.All(o => _offices.TryGetValue(o, out var counted) && counted.BookVersion >= rollout.Known.BookVersion);
        return new RolloutTally(whole,
            [.. rollout.Plan.Rings.Take(rollout.Known.Reached).Select(r => _sums.GetValueOrDefault((rollout.Name, r.Name)) ?? new RingCount(rollout.Name, r.Name, 0, 0, 0, 0))],
            [.. _offices.Values.SelectMany(o => o.Failures ?? []).Where(f => f.Rollout == rollout.Name).Take(RolloutFailure.Most)]);
    }

    // Once for all rollouts, since many offices count between two looks.
    private void Sum()
    {
        if (!_stale)
            return;
        _stale = false;
        _sums.Clear();
        foreach (var c in _offices.Values.SelectMany(o => o.Counts))
        {
            var sum = _sums.GetValueOrDefault((c.Rollout, c.Ring)) ?? c with { Picked = 0, Installed = 0, Failed = 0, RolledBack = 0 };
            _sums[(c.Rollout, c.Ring)] = sum with
            {
                Picked = sum.Picked + c.Picked,
                Installed = sum.Installed + c.Installed,
                Failed = sum.Failed + c.Failed,
                RolledBack = sum.RolledBack + c.RolledBack,
            };
        }
    }
}
