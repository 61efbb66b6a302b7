using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Three headquarters nodes that act as one: what is given to them goes on when one is killed, cut off or updated, and what was acknowledged is there once.</summary>
public static class Cluster
{
    /// <summary>The longest time that nothing may be decided for an office (issue: under 15 s).</summary>
    private static readonly TimeSpan MostUnavailable = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Away = TimeSpan.FromMinutes(2);

    /// <summary>For each device, enough that they are under way.</summary>
    private const int Orders = 5;

    /// <summary>Each node is killed in turn, the oldest first.</summary>
    public static Journey KillEach { get; } = new("cluster-kill-each", "cluster", RunKillEach, KernelOnly: true);

    /// <summary>One node is cut off from the others.</summary>
    public static Journey Partition { get; } = new("cluster-partition", "cluster", RunPartition, KernelOnly: true);

    /// <summary>One node after the other is stopped in order and started again.</summary>
    public static Journey Rolling { get; } = new("cluster-rolling", "cluster", RunRolling, KernelOnly: true);

    /// <summary>The database of all nodes is away for a while.</summary>
    public static Journey DatabaseAway { get; } = new("cluster-database-away", "cluster", RunDatabaseAway, KernelOnly: true);

    private static async Task RunKillEach(IFleetUnderTest fleet, Action<string> step)
    {
        var (account, unavailable) = await KillInTurn((ProcessFleet)fleet, step).ConfigureAwait(false);
        account.RequireWhole();
        Require(unavailable < MostUnavailable, $"nothing was decided for {unavailable.TotalSeconds:0.0} s");
    }

    /// <summary>Each node is killed in turn, the oldest first, which holds the singletons, while orders are given.</summary>
    /// <returns>The account of the orders, and the longest time in which nothing was decided for some office.</returns>
    public static async Task<(OrderAccount Account, TimeSpan Unavailable)> KillInTurn(ProcessFleet lab, Action<string> step)
    {
        await Together(lab, step).ConfigureAwait(false);
        var longest = TimeSpan.Zero;
        var account = await WithOrders(lab, step, async orders =>
        {
            foreach (var name in lab.HeadquartersNodes)
            {
                var oldest = (await lab.Shown.ClusterNodes().ConfigureAwait(false)).First().Address == lab.ClusterAddressOf(name);
                var killed = orders.Now;
                await lab.KillHeadquarters(name).ConfigureAwait(false);
                await UntilNodes(lab, lab.HeadquartersNodes.Count - 1).ConfigureAwait(false);
                await orders.More(Orders, $"orders are accepted again after the death of {name}", Patience).ConfigureAwait(false);
                var pause = orders.LongestPause(killed);
                longest = pause > longest ? pause : longest;
                step($"{name}{(oldest ? ", the oldest," : "")} was killed: nothing was decided for {pause.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s");
                await UntilLinked(lab).ConfigureAwait(false);
                await lab.StartHeadquarters(name).ConfigureAwait(false);
                await UntilNodes(lab, lab.HeadquartersNodes.Count).ConfigureAwait(false);
                await orders.More(Orders, $"orders are accepted with {name} back", Patience).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        return (account, longest);
    }

    /// <summary>One node sees neither of the others, but offices and database: it stops, and the others go on.</summary>
    private static async Task RunPartition(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        await Together(lab, step).ConfigureAwait(false);
        var account = await WithOrders(lab, step, async orders =>
        {
            var alone = lab.HeadquartersNodes[0];
            var cut = orders.Now;
            lab.CutOffHeadquarters(alone);
            await TestSupport.Until.True(() => lab.HasEnded(alone), $"{alone}, the minority, stops", Patience).ConfigureAwait(false);
            step($"{alone} was cut off from the others, and stopped after {(orders.Now - cut).TotalSeconds:0.0} s");
            await orders.More(Orders, "orders are accepted by the majority", Patience).ConfigureAwait(false);
            await UntilNodes(lab, lab.HeadquartersNodes.Count - 1).ConfigureAwait(false);
            await UntilLinked(lab).ConfigureAwait(false);
            var pause = orders.LongestPause(cut);
            step($"nothing was decided for {pause.TotalSeconds:0.0} s");
            Require(pause < MostUnavailable, $"nothing was decided for {pause.TotalSeconds:0.0} s");

            lab.RejoinHeadquarters(alone);
            await lab.StartHeadquarters(alone).ConfigureAwait(false);
            await UntilNodes(lab, lab.HeadquartersNodes.Count).ConfigureAwait(false);
            step($"{alone} is one of them again");
            await orders.More(Orders, "orders go on", Patience).ConfigureAwait(false);
        }).ConfigureAwait(false);
        account.RequireWhole();
    }

    /// <summary>Each node is stopped in order and started again, as in an update; where an earlier version is at hand (<see cref="Programs.EarlierHeadquarters"/>), it is one.</summary>
    private static async Task RunRolling(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        if (Programs.EarlierHeadquarters is { } earlier)
        {
            lab.HeadquartersProgram = earlier;
            step($"headquarters begins with {earlier}");
        }

        await Together(lab, step).ConfigureAwait(false);
        lab.HeadquartersProgram = Programs.Headquarters;
        var account = await WithOrders(lab, step, async orders =>
        {
            foreach (var name in lab.HeadquartersNodes)
            {
                var (began, took) = (orders.Now, Stopwatch.StartNew());
                await lab.StopHeadquarters(name).ConfigureAwait(false);
                await UntilLinked(lab).ConfigureAwait(false);
                await orders.More(Orders, $"orders are accepted without {name}", Patience).ConfigureAwait(false);
                await lab.StartHeadquarters(name).ConfigureAwait(false);
                await UntilNodes(lab, lab.HeadquartersNodes.Count).ConfigureAwait(false);
                await orders.More(Orders, $"orders are accepted with {name} back", Patience).ConfigureAwait(false);
                var pause = orders.LongestPause(began);
                step($"{name} was stopped and started again in {took.Elapsed.TotalSeconds:0.0} s; nothing was decided for {pause.TotalSeconds:0.0} s at most");
                Require(pause < MostUnavailable, $"nothing was decided for {pause.TotalSeconds:0.0} s");
            }
        }).ConfigureAwait(false);
        account.RequireWhole();
    }

    private static async Task RunDatabaseAway(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        await Together(lab, step).ConfigureAwait(false);
        var account = await WithOrders(lab, step, async orders =>
        {
            await lab.StopDatabase().ConfigureAwait(false);
            var went = orders.Now;
            step("the database was stopped");
            await TestSupport.Until.True(() => orders.Now - went >= Away, "the time that the database is away", Away + Patience).ConfigureAwait(false);
            await lab.RunDatabase().ConfigureAwait(false);
            var back = orders.Now;
            await orders.More(Orders, "orders are accepted again", Patience).ConfigureAwait(false);
            step($"orders are accepted again {(orders.Now - back).TotalSeconds:0.0} s after the database was back, which was away for {(back - went).TotalSeconds:0} s");
            await UntilNodes(lab, lab.HeadquartersNodes.Count).ConfigureAwait(false);
            await UntilLinked(lab).ConfigureAwait(false);
            Require(!lab.HeadquartersNodes.Any(lab.HasEnded), "a headquarters node ended while the database was away");
        }).ConfigureAwait(false);
        account.RequireWhole();
    }

    // The first node is a headquarters already when the others join.
    private static async Task Together(ProcessFleet lab, Action<string> step)
    {
        await lab.StartAll(step, interval: "1s").ConfigureAwait(false);
        foreach (var name in lab.HeadquartersNodes.Skip(1))
        {
            await lab.JoinHeadquarters(name).ConfigureAwait(false);
            step($"{name} has joined");
        }

        await UntilNodes(lab, lab.HeadquartersNodes.Count).ConfigureAwait(false);
    }

    private static async Task<OrderAccount> WithOrders(ProcessFleet lab, Action<string> step, Func<OrderBook, Task> happens)
    {
        var devices = lab.Topology.Devices.ToList();
        var ids = (await lab.Shown.Devices().ConfigureAwait(false)).Where(d => devices.Any(t => t.Name == d.Name)).Select(d => d.Id).ToList();
        OrderAccount account;
        await using (var orders = OrderBook.Begin(lab.Api, ids))
        {
            await orders.More(Orders, "orders are accepted", Patience).ConfigureAwait(false);
            await happens(orders).ConfigureAwait(false);
            account = await orders.Close(lab, Patience).ConfigureAwait(false);
            step($"{account.Acknowledged} orders were acknowledged, {orders.Unanswered} were not; lost {account.Lost}, doubled {account.Doubled}, out of order {account.Disordered}");
        }

        await lab.UntilConverged(devices, Patience).ConfigureAwait(false);
        foreach (var device in devices)
            await lab.AssertEventsOnceInOrder(device).ConfigureAwait(false);
        step("every device runs what is desired, and its events are recorded once and in order");
        return account;
    }

    private static Task UntilNodes(ProcessFleet lab, int count) => lab.Until(
        async shown => (await shown.ClusterNodes().ConfigureAwait(false)) is var nodes && nodes.Count == count && nodes.All(n => n.Status == "up"), $"headquarters is {count} nodes", Patience);

    private static Task UntilLinked(ProcessFleet lab) => lab.Until(
        async shown => (await shown.Nodes().ConfigureAwait(false)).Count(n => n.Linked) == lab.Topology.Nodes.Count(), "every office node is linked", Patience);
}
