using Akka.Configuration;
using Fleet.Gateway;
using Fleet.Messages.Settings;
using Fleet.Messages.Transport;
using Fleet.Office.Link;
using Fleet.Office.Outbox;

namespace Fleet.Office;

/// <summary>All settings of an office node.</summary>
/// <param name="GatewayAddresses"><c>host:port</c> for the office's agents; empty: the machine's own.</param>
/// <param name="All">All layers, for the runtime's own block <c>akka</c>.</param>
public sealed record OfficeOptions(
    LinkOptions Link,
    GatewayOptions Gateway,
    OutboxOptions Outbox,
    RelayOptions Relay,
    TimeSpan RebuildLinkAfter,
    IReadOnlyList<string> GatewayAddresses,
    TimeSpan GatewayRetry,
    TimeSpan LookAround,
    Config All)
{
    /// <summary>Reads the shipped files, the administrator's and the overrides; mistakes land in <paramref name="problems"/>.</summary>
    public static OfficeOptions Load(string? file, IReadOnlyList<string> sets, Problems problems)
    {
        var layers = SettingsLayers.Load(["office", "fleet"], file, sets, problems);
        var fleet = layers.Fleet;
        var options = new OfficeOptions(
            LinkOptions.From(fleet, problems),
            GatewayOptions.From(fleet, problems),
            OutboxOptions.From(fleet, problems),
            RelayOptions.From(fleet, problems),
            RebuildLinkAfter: problems.Positive(fleet, "office.rebuild-link-after"),
            GatewayAddresses: problems.Texts(fleet, "office.gateway-addresses"),
            GatewayRetry: problems.Positive(fleet, "office.gateway-retry"),
            LookAround: problems.Positive(fleet, "office.look-around"),
            layers.All);
        if (options.Relay.FrameBytes > options.Link.MaximumFrame - RelayOptions.FrameMargin)
            problems.Add("fleet.office.relay.frame-bytes", $"must be {RelayOptions.FrameMargin} under fleet.link.maximum-frame: the last item may go over it");
        return options;
    }
}
