using Fleet.Messages.Admission;

namespace Fleet.Gateway.Monitoring;

/// <summary>Where a gateway counts what it does, and whether its node is overloaded.</summary>
public sealed record GatewayWatch(GatewayMeter Meter, Overload Overload)
{
    public static GatewayWatch None { get; } = new(GatewayMeter.Unheard, Overload.None);
}
