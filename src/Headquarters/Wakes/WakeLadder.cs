using Fleet.Contracts;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Wakes;

/// <summary>The ways by which a device could be woken now.</summary>
/// <param name="PushNodes">Linked nodes at which the device has a line open.</param>
/// <param name="PushAtHeadquarters">Whether it has one open to headquarters.</param>
/// <param name="LanNodes">Linked nodes of its office, which may be on its LAN.</param>
/// <param name="Addresses">Its IP addresses, as it last reported them.</param>
/// <param name="ReachableAddresses">Those of them that headquarters can send a datagram to.</param>
/// <param name="Macs">Its MAC addresses, where it seems to be off; else none.</param>
public sealed record WakeWays(
    IReadOnlyList<NodeId> PushNodes, bool PushAtHeadquarters, IReadOnlyList<NodeId> LanNodes, IReadOnlyList<string> Addresses, IReadOnlyList<string> ReachableAddresses,
    IReadOnlyList<string> Macs)
{
    /// <summary>Whether a channel can be tried now.</summary>
    public bool Have(WakeChannel channel) => channel switch
    {
        WakeChannel.OfficePush => PushNodes.Count > 0,
        WakeChannel.HeadquartersPush => PushAtHeadquarters,
        WakeChannel.HeadquartersDatagram => ReachableAddresses.Count > 0,
        WakeChannel.OfficeDatagram => LanNodes.Count > 0 && Addresses.Count > 0,
        WakeChannel.WakeOnLan => LanNodes.Count > 0 && Macs.Count > 0,
        WakeChannel.PeriodicSync => true,
        _ => throw new ArgumentOutOfRangeException(nameof(channel), channel, "no channel has this number"),
    };
}

/// <summary>The wake-up ladder. Pure.</summary>
public static class WakeLadder
{
    private static readonly WakeChannel[] Rungs = [.. Enum.GetValues<WakeChannel>().Order()];

    /// <summary>The best channel below the one that was tried (null: none yet) that can be tried now; at the bottom waits the device's own next sync.</summary>
    public static WakeChannel Next(WakeWays ways, WakeChannel? tried) => Rungs.First(r => !(r <= tried) && ways.Have(r));

    /// <summary>A channel as people read it.</summary>
    public static string Name(WakeChannel channel) => channel switch
    {
        WakeChannel.OfficePush => "office push",
        WakeChannel.HeadquartersPush => "headquarters push",
        WakeChannel.HeadquartersDatagram => "datagram from headquarters",
        WakeChannel.OfficeDatagram => "datagram from an office node",
        WakeChannel.WakeOnLan => "wake on LAN",
        WakeChannel.PeriodicSync => "periodic sync",
        _ => throw new ArgumentOutOfRangeException(nameof(channel), channel, "no channel has this number"),
    };
}
