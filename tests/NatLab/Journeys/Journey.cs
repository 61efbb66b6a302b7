using Fleet.NatLab.Fleets;

namespace Fleet.NatLab.Journeys;

/// <summary>A story that the fleet must live through.</summary>
/// <param name="Topology">Where it plays.</param>
/// <param name="Run">Plays it; says each step; throws where something does not hold.</param>
public sealed record Journey(string Name, string Topology, Func<IFleetUnderTest, Action<string>, Task> Run)
{
    public static IReadOnlyList<Journey> All { get; } =
    [
        OverlappingSubnets.Journey,
        GatewayOnly.Journey,
        NatForgets.Journey,
        UplinkCut.Journey,
        KillAny.Journey,
        Rogue.Journey,
    ];
}
