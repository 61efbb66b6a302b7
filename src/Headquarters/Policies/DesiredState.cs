using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Rollouts;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Headquarters.Policies;

/// <summary>Makes a device's effective desired document from its office's policies, gateways and releases, and the device's labels.</summary>
public static class DesiredState
{
    private static readonly byte[] Program = [.. new[] { typeof(DesiredState), typeof(OfficeSnapshot), typeof(DesiredDocument) }.SelectMany(t => t.Module.ModuleVersionId.ToByteArray())];

    /// <summary>The document that the device should hold, under its journaled version.</summary>
    public static DesiredDocument For(Office office, Device device, OfficeOptions options)
    {
        var document = Content(office, device, options);
        document.Version = device.Known.DesiredVersion;
        document.IssuedAt = device.Known.DesiredAt.ToTimestamp();
        document.UpdateTimestamp = office.Updates.Timestamp;
        return document;
    }

    /// <summary>How often the device syncs.</summary>
    public static TimeSpan IntervalOf(Office office, Device device, OfficeOptions options) => IntervalOf(Effective(office, device).Settings, options);

    /// <summary>Whether headquarters wants the device to keep a line open to a push server.</summary>
    public static bool IsAlwaysConnected(Office office, Device device) => device.Known.HasPlace && WantsLine(office, device);

    /// <summary>Whether the device should keep a line open, if the company's budget has a place for it.</summary>
    public static bool WantsLine(Office office, Device device) => device.Known.AlwaysConnected
        ?? (office.Book.Policies.Any(p => p.Document.Settings.ContainsKey(PolicySettings.Connection)) && WantsLine(device, Effective(office, device).Settings));

    /// <summary>What policies set for a device; null: nothing, or there is no such device.</summary>
    public static string? SettingOf(Office office, DeviceId device, string key) =>
        office.Devices.TryGetValue(device, out var found) ? Effective(office, found).Settings.GetValueOrDefault(key) : null;

    /// <summary>The change to journal if the device's document is no longer the one last desired; null where it is.</summary>
    public static DeviceDesiredChanged? Change(Office office, Device device, OfficeOptions options, DateTimeOffset now)
    {
        var hash = SHA256.HashData(Content(office, device, options).ToByteArray());
        return hash.AsSpan().SequenceEqual(device.Known.DesiredHash.Span)
            ? null
            : new DeviceDesiredChanged(office.Id, device.Id, device.Known.DesiredVersion + 1, hash, now);
    }

    /// <summary>
    /// What changes that may make every device's document another; none where documents were compared on the same basis before. All else that they are made from is
    /// journaled, and compared when it changes: comparing a hundred thousand at each start would keep their offices waiting.
    /// </summary>
    public static IReadOnlyList<IOfficeEvent> Check(Office office, OfficeOptions options, DateTimeOffset now)
    {
        var basis = BasisOf(options);
        return office.DocumentsBasis.Span.SequenceEqual(basis) || (office.Devices.IsEmpty && office.DocumentsBasis.IsEmpty)
            ? []
            : [.. office.Devices.Values.Select(d => Change(office, d, options, now)).OfType<IOfficeEvent>(), new OfficeDocumentsChecked(office.Id, basis, now)];
    }

    /// <summary>Whether a policy is for the device.</summary>
    public static bool Selects(PolicyDocument policy, Office office, Device device) =>
        (policy.Offices.Count == 0 || policy.Offices.Contains(office.Id))
        && policy.Labels.All(l => device.Known.Labels.TryGetValue(l.Key, out var value) && value == l.Value);

    // Another program may make another document of the same state: its modules' ids are other ones with whatever is compiled into them.
    private static byte[] BasisOf(OfficeOptions options)
    {
        var settings = new DesiredDocument
        {
            SyncInterval = options.SyncInterval.ToDuration(),
            HeadquartersAddresses = { options.HeadquartersAddresses },
            HeadquartersPushAddresses = { options.HeadquartersPushAddresses },
            HeadquartersUpdateAddresses = { options.HeadquartersUpdateAddresses },
        };
        return SHA256.HashData([.. settings.ToByteArray(), .. Program]);
    }

    private static DesiredDocument Content(Office office, Device device, OfficeOptions options)
    {
        var (settings, policies) = Effective(office, device);
        var document = new DesiredDocument
        {
            OfficeId = office.Id.Value,
            GatewayOnly = settings.TryGetValue(PolicySettings.GatewayOnly, out var only) && bool.TryParse(only, out var gatewayOnly) && gatewayOnly,
            SyncInterval = IntervalOf(settings, options).ToDuration(),
            Policies = { policies.Select(p => new AppliedPolicy { Name = p.Document.Name.Value, Version = p.Version }).OrderBy(p => p.Name, StringComparer.Ordinal) },
            // Each device has an order of its own, so that the gateways share the devices.
            Gateways = { Rendezvous.Order(device.Id, office.Gateways, g => g.NodeId.Value).Select(AddressOf) },
            HeadquartersAddresses = { options.HeadquartersAddresses },
            Connection = device.Known.HasPlace && WantsLine(device, settings) ? ConnectionMode.Always : ConnectionMode.Periodic,
            PushServers = { office.PushServers.Select(PushAddressOf) },
            HeadquartersPushAddresses = { options.HeadquartersPushAddresses },
            DistributionPoints = { office.DistributionPoints.Select(ContentAddressOf) },
            HeadquartersUpdateAddresses = { options.HeadquartersUpdateAddresses },
            Packages = { ReleasePicks.For(office, device).Select(p => ReleasePicks.Wanted(p.Release)) },
            UpdateRoot = ByteString.CopyFrom(office.Updates.Root.Span),
            Vendors = { office.Updates.Vendors.Select(v => new TrustedVendor { Name = v.Name, Root = ByteString.CopyFrom(v.Root.Span), Packages = { v.Packages } }) },
        };
        // Added in order of their keys: the hash over the document must not depend on how a dictionary happens to lie.
        foreach (var (key, value) in settings.OrderBy(s => s.Key, StringComparer.Ordinal))
            document.Settings.Add(key, value);
        foreach (var (key, value) in device.Known.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))
            document.Labels.Add(key, value);
        return document;
    }

    private static TimeSpan IntervalOf(Dictionary<string, string> settings, OfficeOptions options) =>
        settings.TryGetValue(PolicySettings.SyncInterval, out var text) ? PolicySettings.ParseInterval(text) ?? options.SyncInterval : options.SyncInterval;

    private static bool WantsLine(Device device, Dictionary<string, string> settings) =>
        device.Known.AlwaysConnected ?? settings.GetValueOrDefault(PolicySettings.Connection) == PolicySettings.Always;

    private static (Dictionary<string, string> Settings, List<Policy> Policies) Effective(Office office, Device device)
    {
        var policies = office.Book.Policies.Where(p => Selects(p.Document, office, device))
            .OrderBy(p => p.Document.Priority).ThenByDescending(p => p.Document.Name.Value, StringComparer.Ordinal).ToList();
        var settings = new Dictionary<string, string>();
        // The strongest last: what it sets stays.
        foreach (var (key, value) in policies.SelectMany(p => p.Document.Settings))
            settings[key] = value;
        return (settings, policies);
    }

    /// <summary>A gateway as devices are told of it.</summary>
    public static GatewayAddress AddressOf(Fleet.Messages.Offices.NodeSnapshot node) => new() { NodeId = node.NodeId.Value, Addresses = { node.Report!.GatewayAddresses } };

    /// <summary>A push server as devices are told of it.</summary>
    public static GatewayAddress PushAddressOf(Fleet.Messages.Offices.NodeSnapshot node) => new() { NodeId = node.NodeId.Value, Addresses = { node.Report!.PushAddresses } };

    /// <summary>A distribution point as devices are told of it.</summary>
    public static GatewayAddress ContentAddressOf(Fleet.Messages.Offices.NodeSnapshot node) => new() { NodeId = node.NodeId.Value, Addresses = { node.Report!.ContentAddresses } };
}
