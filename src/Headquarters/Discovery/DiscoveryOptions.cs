using Akka.Configuration;
using Fleet.Messages.Link;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Discovery;

/// <summary>Block <c>fleet.discovery</c>.</summary>
/// <param name="IpRangeEvery">Between two full polls of a method where an office has no schedule of its own.</param>
/// <param name="PacketsPerSecond">The most packets of all polls of an office together, where it does not say otherwise.</param>
/// <param name="MovePollerAfter">How long the poller's link is down before another node polls.</param>
/// <param name="AddressLifetime">An address that no poll confirmed for this long is no longer the device's.</param>
/// <param name="ForgetAfter">A device that no poll saw for this long is forgotten.</param>
/// <param name="ForgetIgnoredAfter">The same for one that was set aside.</param>
/// <param name="RememberEvery">How often at most it is journaled that a device was seen again.</param>
/// <param name="MaxDevices">Discovered devices that an office keeps.</param>
/// <param name="ReviewEvery">How often lifetimes and the poller are looked at.</param>
/// <param name="SilentAfter">A poll that its node does not tell of for this long is given up.</param>
public sealed record DiscoveryOptions(
    TimeSpan IpRangeEvery,
    TimeSpan MulticastDnsEvery,
    TimeSpan LdapEvery,
    int PacketsPerSecond,
    TimeSpan MovePollerAfter,
    TimeSpan AddressLifetime,
    TimeSpan ForgetAfter,
    TimeSpan ForgetIgnoredAfter,
    TimeSpan RememberEvery,
    int MaxDevices,
    TimeSpan ReviewEvery,
    TimeSpan SilentAfter)
{
    public static DiscoveryOptions From(Config fleet, Problems problems) => new(
        IpRangeEvery: problems.Positive(fleet, "discovery.ip-range-every"),
        MulticastDnsEvery: problems.Positive(fleet, "discovery.mdns-every"),
        LdapEvery: problems.Positive(fleet, "discovery.ldap-every"),
        PacketsPerSecond: problems.Number(fleet, "discovery.packets-per-second", 1, PollRules.MostPacketsPerSecond),
        MovePollerAfter: problems.Positive(fleet, "discovery.move-poller-after"),
        AddressLifetime: problems.Positive(fleet, "discovery.address-lifetime"),
        ForgetAfter: problems.Positive(fleet, "discovery.forget-after"),
        ForgetIgnoredAfter: problems.Positive(fleet, "discovery.forget-ignored-after"),
        RememberEvery: problems.Positive(fleet, "discovery.remember-every"),
        MaxDevices: problems.Number(fleet, "discovery.max-devices", 1, 100_000),
        ReviewEvery: problems.Positive(fleet, "discovery.review-every"),
        SilentAfter: problems.Positive(fleet, "discovery.silent-after"));

    /// <summary>What an office polls that has no schedule of its own: all that needs no further word.</summary>
    public PollPlan DefaultPlan => new(
        [
            new PollSchedule(PollMethod.IpRange, Enabled: true, TimeSpan.Zero, IpRangeEvery, [], AllowLarge: false, [], null, null),
            new PollSchedule(PollMethod.MulticastDns, Enabled: true, TimeSpan.Zero, MulticastDnsEvery, [], AllowLarge: false, [], null, null),
            new PollSchedule(PollMethod.Ldap, Enabled: true, TimeSpan.Zero, LdapEvery, [], AllowLarge: false, [], null, null),
        ],
        PacketsPerSecond);
}
