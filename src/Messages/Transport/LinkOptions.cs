using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Messages.Transport;

/// <summary>Block <c>fleet.link</c>.</summary>
public sealed record LinkOptions(
    TimeSpan PingInterval,
    TimeSpan Lease,
    TimeSpan MinBackoff,
    TimeSpan MaxBackoff,
    TimeSpan ConnectTimeout,
    int MaximumFrame,
    int MaximumUnsent,
    int MaximumHandshakes)
{
    public static LinkOptions From(Config fleet, Problems problems)
    {
        var options = new LinkOptions(
            PingInterval: problems.Positive(fleet, "link.ping-interval"),
            Lease: problems.Positive(fleet, "link.lease"),
            MinBackoff: problems.Positive(fleet, "link.min-backoff"),
            MaxBackoff: problems.Positive(fleet, "link.max-backoff"),
            ConnectTimeout: problems.Positive(fleet, "link.connect-timeout"),
            MaximumFrame: problems.Number(fleet, "link.maximum-frame", 65536, 16 * 1024 * 1024),
            MaximumUnsent: problems.Number(fleet, "link.maximum-unsent", 65536, 256 * 1024 * 1024),
            MaximumHandshakes: problems.Number(fleet, "link.maximum-handshakes", 1, 65536));
        if (options.Lease < options.PingInterval + options.PingInterval && !problems.Told("link.lease") && !problems.Told("link.ping-interval"))
            problems.Add("fleet.link.lease", "must be at least twice fleet.link.ping-interval, or one late ping ends the link");
        if (options.MaximumUnsent < options.MaximumFrame)
            problems.Add("fleet.link.maximum-unsent", "must not be under fleet.link.maximum-frame");
        return options;
    }
}
