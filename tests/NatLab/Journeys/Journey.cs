using Fleet.NatLab.Fleets;

namespace Fleet.NatLab.Journeys;

/// <summary>A story that the fleet must live through.</summary>
/// <param name="Topology">Where it plays.</param>
/// <param name="Run">Plays it; says each step; throws where something does not hold.</param>
/// <param name="KernelOnly">It needs what only real machines have: datagrams, signals. Its fleet is a <see cref="ProcessFleet"/>.</param>
public sealed record Journey(string Name, string Topology, Func<IFleetUnderTest, Action<string>, Task> Run, bool KernelOnly = false)
{
    public static IReadOnlyList<Journey> All { get; } =
    [
        OverlappingSubnets.Journey,
        GatewayOnly.Journey,
        NatForgets.Journey,
        UplinkCut.Journey,
        KillAny.Journey,
        Rogue.Journey,
        WakeLadder.Journey,
        FrozenAgent.Journey,
        GatewayTakeover.Journey,
        GatewayChain.Journey,
        DmzGateway.Journey,
        PollSubnet.Journey,
        SshInstall.Journey,
        AptThroughDp.Journey,
        OneCopy.Journey,
        OneCopyCut.Journey,
        LyingDp.Journey,
        BadRelease.Journey,
        FullDisk.Journey,
        WrongClock.Journey,
        PowerLoss.Journey,
        Cluster.KillEach,
        Cluster.Partition,
        Cluster.Rolling,
        Cluster.DatabaseAway,
        BackupRestore.Journey,
    ];
}
