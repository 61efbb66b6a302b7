using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Rollouts;

/// <summary>Company → event stream: how a rollout stands now. Stays inside headquarters' process.</summary>
/// <param name="WaitsFor">For people; empty: it is over.</param>
public sealed record RolloutStanding(RolloutName Name, string WaitsFor, IReadOnlyList<RingCount> Rings);
