using System.Net;
using Fleet.Contracts;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Rules;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Installs;

/// <summary>What the office decides on setting up agents on discovered devices. Pure.</summary>
internal static class InstallRules
{
    /// <summary>The purpose under which headquarters seals credentials for itself, from the request to the decision.</summary>
    public const string KeptSecret = "kept installation credentials";

    /// <summary>How long the token of an installation lives, and the installation at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    /// <param name="fresh">The installation's name and its token, drawn by the caller.</param>
    public static OfficeDecision Decide(this Office office, StartInstall command, InstallId fresh, JoinToken token, DateTimeOffset now)
    {
        if (!office.Discovered.TryGetValue(command.DiscoveredId, out var device))
            return OfficeRules.Refuse(office, RefusalCode.NotFound, $"there is no discovered device {command.DiscoveredId} in office {office.Id}");
        if (office.Devices.Values.FirstOrDefault(d => device.Mac.Length > 0 && KnownMachines.MacsOf(d).Contains(device.Mac)) is { } managed)
            return OfficeRules.Refuse(office, RefusalCode.AlreadyExists, $"{device.DiscoveredId} has an agent already: it is device {managed.Id}");
        if (office.Installs.Values.FirstOrDefault(i => i.Begun.DiscoveredId == device.DiscoveredId) is { } running)
            return OfficeRules.Refuse(office, RefusalCode.AlreadyExists, $"an agent is being set up there already, as {running.Begun.InstallId}");
        var address = command.Address ?? device.Addresses.Select(a => a.Address).FirstOrDefault();
        if (address is null || !IPAddress.TryParse(address, out _))
            return OfficeRules.Refuse(office, RefusalCode.Invalid, address is null ? $"no address of {device.DiscoveredId} is known; name one" : $"'{address[..Math.Min(60, address.Length)]}' is no IP address");
        if (command.Port is < 1 or > 65535)
            return OfficeRules.Refuse(office, RefusalCode.Invalid, $"{command.Port} is no port");
        if (Through(office, device) is not { } node)
            return OfficeRules.Refuse(office, RefusalCode.Busy, $"no node of office {office.Id} is linked that could reach {device.DiscoveredId}");
        var begun = new AgentInstallBegun(office.Id, fresh, device.DiscoveredId, DiscoveredRule.NameOf(device), node, address, command.Port,
            command.AcceptHostKey ? "" : device.HostKey, token.Id, command.By, now);
        return new OfficeDecision([new TokenCreated(office.Id, token.Id, JoinKind.Agent, 1, now + Longest, token.Secret, command.By, now), begun], new InstallAccepted(office.Id, fresh, node));
    }

    /// <summary>The node tells how it ended.</summary>
    public static IReadOnlyList<IOfficeEvent> Ended(Office office, NodeId node, InstallEnded ended, DateTimeOffset now)
    {
        if (office.Installs.GetValueOrDefault(ended.InstallId) is not { } open || open.Begun.NodeId != node)
            return [];
        var key = CleanText.Of(ended.HostKey, 200);
        IReadOnlyList<IOfficeEvent> pinned = office.Discovered.TryGetValue(open.Begun.DiscoveredId, out var device) && key.Length > 0 && key != device.HostKey && ended.Outcome != InstallOutcome.HostKeyChanged
            ? [new DeviceDiscovered(office.Id, device with { HostKey = key }, $"host key {key}", now)]
            : [];
        return [.. pinned, .. Over(office, open, ended.Outcome, CleanText.Of(ended.Detail, 1000), key, now)];
    }

    /// <summary>What follows from nodes that are out of reach and agents that joined.</summary>
    public static IEnumerable<IOfficeEvent> Follows(Office office, IReadOnlyList<IOfficeEvent> events, DateTimeOffset now)
    {
        foreach (var (node, why) in events.Select(OutOfReach).OfType<(NodeId, string)>())
            foreach (var open in office.Installs.Values.Where(i => i.Begun.NodeId == node))
                foreach (var over in Over(office, open, InstallOutcome.Interrupted, $"{why}; if the agent joins all the same, it shows as a device", "", now))
                    yield return over;
        foreach (var joined in events.OfType<DeviceEnrolled>())
            if (office.Installs.Values.FirstOrDefault(i => i.Begun.TokenId == joined.TokenId) is { } install)
            {
                yield return new AgentInstallJoined(office.Id, install.Begun.InstallId, joined.DeviceId, now);
                if (!office.Discovered.TryGetValue(install.Begun.DiscoveredId, out var device))
                    continue;
                yield return new DiscoveredDeviceGone(office.Id, device.DiscoveredId, $"it has an agent now: {joined.DeviceId}", now);
                foreach (var placed in Placement.AtEnrolment(office, device, office.Devices[joined.DeviceId], now))
                    yield return placed;
            }
    }

    private static (NodeId Node, string Why)? OutOfReach(IOfficeEvent happened) => happened switch
    {
        NodeLinkChanged { Up: false } down => (down.NodeId, $"the link of {down.NodeId} went down: {down.Reason}"),
        NodeRemoved removed => (removed.NodeId, $"{removed.NodeId} was removed"),
        _ => null,
    };

    /// <summary>Installations of which nothing is heard for too long.</summary>
    public static IEnumerable<IOfficeEvent> Overdue(Office office, DateTimeOffset now) => office.Installs.Values.Where(i => now - i.Begun.At >= Longest)
        .SelectMany(i => Over(office, i, InstallOutcome.Interrupted, $"{i.Begun.NodeId} did not say how it ended", "", now));

    // The token of one that is over lets nobody in any more.
    private static IEnumerable<IOfficeEvent> Over(Office office, InstallSnapshot open, InstallOutcome outcome, string detail, string hostKey, DateTimeOffset now)
    {
        yield return new AgentInstallEnded(office.Id, open.Begun.InstallId, outcome, detail, hostKey, now);
        if (open.DeviceId is null && outcome != InstallOutcome.Interrupted && office.Tokens.ContainsKey(open.Begun.TokenId))
            yield return new TokenWasRevoked(office.Id, open.Begun.TokenId, "headquarters", now);
    }

    // The node that saw it last can reach it; else any can try.
    private static NodeId? Through(Office office, DiscoveredDevice device) => office.Nodes.Values.Where(n => n.Linked)
        .OrderByDescending(n => n.NodeId == device.SeenBy).ThenBy(n => n.NodeId.Value, StringComparer.Ordinal).Select(n => (NodeId?)n.NodeId).FirstOrDefault();
}
