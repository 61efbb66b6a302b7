namespace Fleet.Device.Identity;

/// <summary>Where a device was told to dial when it was enrolled; what headquarters desires later comes before it.</summary>
/// <param name="Gateways"><c>host:port</c>, most preferred first.</param>
/// <param name="Servers">Addresses of headquarters, <c>host:port</c>.</param>
/// <param name="GatewayOnly">Never dial headquarters itself.</param>
public sealed record Reach(IReadOnlyList<string> Gateways, IReadOnlyList<string> Servers, bool GatewayOnly)
{
    /// <summary>All addresses that may be dialled, in order.</summary>
    public IReadOnlyList<string> Addresses => GatewayOnly ? Gateways : [.. Gateways, .. Servers];
}
