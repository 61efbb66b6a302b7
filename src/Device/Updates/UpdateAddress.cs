using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Identity;

namespace Fleet.Device.Updates;

/// <summary>Where the tenant's repository is served.</summary>
/// <param name="Node">The distribution point's node; null: headquarters.</param>
/// <param name="Base">Without a path; plain only where headquarters wrote <c>http://</c>.</param>
public sealed record UpdateAddress(string? Node, Uri Base)
{
    /// <summary>For people: who, and where.</summary>
    public string Name => $"{Node ?? "headquarters"} at {Base.Authority}";

    public bool IsHeadquarters => Node is null;

    /// <summary>What a device may ask: the office's distribution points in an order of its own, each by its addresses, then headquarters unless <paramref name="gatewayOnly"/>.</summary>
    public static IReadOnlyList<UpdateAddress> Plan(DeviceIdentity identity, DesiredDocument desired, bool gatewayOnly)
    {
        var nodes = Rendezvous.Order(identity.Device, desired.DistributionPoints, p => p.NodeId).SelectMany(p => p.Addresses.Select(a => Parse(p.NodeId, a)));
        var headquarters = gatewayOnly ? [] : desired.HeadquartersUpdateAddresses.Select(a => Parse(null, a));
        return [.. nodes.Concat(headquarters).OfType<UpdateAddress>().Distinct()];
    }

    // What can't be read is passed over: newer headquarters may write addresses that older agents do not know.
    private static UpdateAddress? Parse(string? node, string address) =>
        Uri.TryCreate(HostPort.UrlOf(address), UriKind.Absolute, out var uri) && uri.Scheme is ("https" or "http") && uri.AbsolutePath == "/" ? new UpdateAddress(node, uri) : null;
}
