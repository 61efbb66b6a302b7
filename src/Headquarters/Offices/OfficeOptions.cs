using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Headquarters.Discovery;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Offices;

/// <summary>Block <c>fleet.offices</c>.</summary>
/// <param name="SyncInterval">How often a device syncs where no policy says.</param>
/// <param name="HeadquartersAddresses">host:port at which devices reach headquarters' agent service; told to every device.</param>
/// <param name="HeadquartersPushAddresses">The same for its push server.</param>
/// <param name="HeadquartersUpdateAddresses">The same for its update repository.</param>
/// <param name="HeadquartersLinkAddresses">The same for its link ports; told to every office node.</param>
/// <param name="SnapshotEvery">Events between two snapshots of a twin, at least.</param>
/// <param name="SnapshotWithin">A twin that has events since its snapshot saves another after this long at the latest.</param>
/// <param name="RefusalsPerHour">Refused enrolments that one office journals an hour; all are logged.</param>
/// <param name="DeviceIdleAfter">A device twin without work for this long goes; the office holds its state.</param>
/// <param name="PresenceEvery">Presence changes are published at most this often.</param>
/// <param name="ResendEvery">Hand-overs between actors are sent again this often until answered.</param>
/// <param name="Discovery">Block <c>fleet.discovery</c>: how offices' networks are polled.</param>
/// <param name="MinBackoff">First wait before a twin whose journal failed starts again; doubles up to <paramref name="MaxBackoff"/>.</param>
public sealed record OfficeOptions(
    TimeSpan SyncInterval,
    IReadOnlyList<string> HeadquartersAddresses,
    IReadOnlyList<string> HeadquartersPushAddresses,
    IReadOnlyList<string> HeadquartersUpdateAddresses,
    IReadOnlyList<string> HeadquartersLinkAddresses,
    int SnapshotEvery,
    TimeSpan SnapshotWithin,
    int RefusalsPerHour,
    TimeSpan DeviceIdleAfter,
    TimeSpan PresenceEvery,
    TimeSpan ResendEvery,
    TimeSpan MinBackoff,
    TimeSpan MaxBackoff,
    DiscoveryOptions Discovery)
{
    public static OfficeOptions From(Config fleet, Problems problems) => new(
        SyncInterval: problems.Positive(fleet, "offices.sync-interval"),
        HeadquartersAddresses: problems.Texts(fleet, "offices.headquarters-addresses"),
        HeadquartersPushAddresses: problems.Texts(fleet, "offices.headquarters-push-addresses"),
        HeadquartersUpdateAddresses: problems.Texts(fleet, "offices.headquarters-update-addresses"),
        HeadquartersLinkAddresses: Addresses(fleet, problems, "offices.headquarters-link-addresses"),
        SnapshotEvery: problems.Number(fleet, "offices.snapshot-every", 10, 1_000_000),
        SnapshotWithin: problems.Positive(fleet, "offices.snapshot-within"),
        RefusalsPerHour: problems.Number(fleet, "offices.refusals-per-hour", 1, 10_000),
        DeviceIdleAfter: problems.Positive(fleet, "offices.device-idle-after"),
        PresenceEvery: problems.Positive(fleet, "offices.presence-every"),
        ResendEvery: problems.Positive(fleet, "offices.resend-every"),
        MinBackoff: problems.Positive(fleet, "offices.min-backoff"),
        MaxBackoff: problems.Positive(fleet, "offices.max-backoff"),
        Discovery: DiscoveryOptions.From(fleet, problems));

    private static IReadOnlyList<string> Addresses(Config fleet, Problems problems, string key)
    {
        var addresses = problems.Texts(fleet, key);
        foreach (var wrong in addresses.Select(HostPort.Problem).OfType<string>())
            problems.Add($"fleet.{key}", wrong);
        return addresses;
    }
}
