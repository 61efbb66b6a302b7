using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Wakes;

/// <summary>Block <c>fleet.wake</c>.</summary>
/// <param name="PushWithin">How long a push may take until the device has synced; then the next channel is tried.</param>
/// <param name="DatagramWithin">The same for datagrams.</param>
/// <param name="StartWithin">How long a device that was off may take to start and sync.</param>
/// <param name="NudgeEvery">Between two devices of an office that are told of a change over their open lines.</param>
/// <param name="NudgeWithin">All of an office are told within this, however many they are.</param>
/// <param name="DatagramPort">The UDP port at which agents take wake signals.</param>
/// <param name="ReachableNetworks">Networks into which headquarters can send datagrams itself.</param>
public sealed record WakeOptions(TimeSpan PushWithin, TimeSpan DatagramWithin, TimeSpan StartWithin, TimeSpan NudgeEvery, TimeSpan NudgeWithin, int DatagramPort, IReadOnlyList<IPNetwork> ReachableNetworks)
{
    public static WakeOptions From(Config fleet, Problems problems) => new(
        PushWithin: problems.Positive(fleet, "wake.push-within"),
        DatagramWithin: problems.Positive(fleet, "wake.datagram-within"),
        StartWithin: problems.Positive(fleet, "wake.start-within"),
        NudgeEvery: problems.Positive(fleet, "wake.nudge-every"),
        NudgeWithin: problems.Positive(fleet, "wake.nudge-within"),
        DatagramPort: problems.Port(fleet, "wake.datagram-port"),
        ReachableNetworks: [.. problems.Texts(fleet, "wake.reachable-networks").Select(text => Network(text, problems)).OfType<IPNetwork>()]);

    private static IPNetwork? Network(string text, Problems problems)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        problems.Add("fleet.wake.reachable-networks", $"must be networks such as 10.20.0.0/16, not '{text}'");
        return null;
    }
}
