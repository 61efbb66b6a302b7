using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Block <c>fleet.retention</c>: how much of what happened is kept.</summary>
/// <param name="Devices">Of each device's history.</param>
/// <param name="Nodes">Of each office node's.</param>
/// <param name="Offices">Of each office's own: who did what there.</param>
/// <param name="Rollouts">Of each rollout's.</param>
/// <param name="Incidents">Of each office's that are over.</param>
/// <param name="Polls">Of each office's that have ended.</param>
/// <param name="Installs">Of the agents set up in each office.</param>
/// <param name="Tokens">Of each office's that have expired.</param>
/// <param name="Most">Entries of each kind, of all together.</param>
/// <param name="Every">How often it is looked what has to go.</param>
/// <param name="Batch">Entries taken out in one transaction at most.</param>
public sealed record RetentionOptions(Kept Devices, Kept Nodes, Kept Offices, Kept Rollouts, Kept Incidents, Kept Polls, Kept Installs, Kept Tokens, int Most, TimeSpan Every, int Batch)
{
    public static RetentionOptions From(Config fleet, Problems problems) => new(
        Devices: Kept.From(fleet, "devices", problems),
        Nodes: Kept.From(fleet, "nodes", problems),
        Offices: Kept.From(fleet, "offices", problems),
        Rollouts: Kept.From(fleet, "rollouts", problems),
        Incidents: Kept.From(fleet, "incidents", problems),
        Polls: Kept.From(fleet, "polls", problems),
        Installs: Kept.From(fleet, "installs", problems),
        Tokens: Kept.From(fleet, "tokens", problems),
        Most: problems.Number(fleet, "retention.most", 1000, int.MaxValue),
        Every: problems.Positive(fleet, "retention.every"),
        Batch: problems.Number(fleet, "retention.batch", 1, 10_000));
}

/// <param name="Age">What is older goes.</param>
/// <param name="Count">What is more goes, the oldest first.</param>
public sealed record Kept(TimeSpan Age, int Count)
{
    internal static Kept From(Config fleet, string history, Problems problems) =>
        new(problems.Positive(fleet, $"retention.{history}.age"), problems.Number(fleet, $"retention.{history}.count", 1, int.MaxValue));
}
