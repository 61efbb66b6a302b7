using Akka.Configuration;
using Fleet.Gateway;
using Fleet.Gateway.Monitoring;
using Fleet.Messages.Log;
using Fleet.Messages.Settings;
using Fleet.Messages.Transport;
using Fleet.Office.Discovery;
using Fleet.Office.DistributionPoint;
using Fleet.Office.Installs;
using Fleet.Office.Link;
using Fleet.Office.Outbox;
using Fleet.Office.Passing;

namespace Fleet.Office;

/// <summary>All settings of an office node.</summary>
/// <param name="GatewayAddresses"><c>host:port</c> for the office's agents; empty: the machine's own.</param>
/// <param name="PushAddresses">The same for its push server.</param>
/// <param name="HangUpAfter">A node that dials periodically hangs up when all is stored and its link was quiet for this long.</param>
/// <param name="WakePort">The UDP port at which agents take wake signals.</param>
/// <param name="All">All layers, for the runtime's own block <c>akka</c>.</param>
public sealed record OfficeOptions(
    LogOptions Log,
    LinkOptions Link,
    GatewayOptions Gateway,
    PushOptions Push,
    OutboxOptions Outbox,
    RelayOptions Relay,
    LinkPortOptions Links,
    DiscoveryOptions Discovery,
    InstallOptions Installs,
    DistributionOptions Distribution,
    MonitoringOptions Monitoring,
    TraceOptions Traces,
    TimeSpan RebuildLinkAfter,
    TimeSpan HangUpAfter,
    IReadOnlyList<string> GatewayAddresses,
    IReadOnlyList<string> PushAddresses,
    int WakePort,
    TimeSpan PortRetry,
    TimeSpan LookAround,
    Config All)
{
    /// <summary>Reads <c>hocon/office.hocon</c> and <c>hocon/fleet.hocon</c>, the administrator's file, and <c>key=value</c> settings.</summary>
    /// <exception cref="SettingsException">Something is wrong; the message lists all of it.</exception>
    public static OfficeOptions Load(string? file, IReadOnlyList<string> sets)
    {
        var problems = new Problems();
        var layers = SettingsLayers.Load(["office", "fleet"], file, sets, problems);
        var fleet = layers.Fleet;
        var options = new OfficeOptions(
            LogOptions.From(fleet, problems),
            LinkOptions.From(fleet, problems),
            GatewayOptions.From(fleet, problems),
            PushOptions.From(fleet, problems),
            OutboxOptions.From(fleet, problems),
            RelayOptions.From(fleet, problems),
            LinkPortOptions.From(fleet, problems),
            DiscoveryOptions.From(fleet, problems),
            InstallOptions.From(fleet, problems),
            DistributionOptions.From(fleet, problems),
            MonitoringOptions.From(fleet, problems),
            TraceOptions.From(fleet, problems),
            RebuildLinkAfter: problems.Positive(fleet, "office.rebuild-link-after"),
            HangUpAfter: problems.Positive(fleet, "office.hang-up-after"),
            GatewayAddresses: problems.Texts(fleet, "office.gateway-addresses"),
            PushAddresses: problems.Texts(fleet, "office.push-addresses"),
            WakePort: problems.Port(fleet, "wake.datagram-port"),
            PortRetry: problems.Positive(fleet, "office.port-retry"),
            LookAround: problems.Positive(fleet, "office.look-around"),
            layers.All);
        if (options.Relay.FrameBytes > options.Link.MaximumFrame - RelayOptions.FrameMargin)
            problems.Add("fleet.office.relay.frame-bytes", $"must be {RelayOptions.FrameMargin} under fleet.link.maximum-frame: the last item may go over it");
        problems.ThrowIfAny();
        return options;
    }
}
