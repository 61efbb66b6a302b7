using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Updates;

/// <summary>What an office's distribution points and devices are told of updates. Pure.</summary>
public static class UpdatePlans
{
    /// <summary>The purpose under which headquarters seals passwords of sources for itself.</summary>
    public const string KeptPassword = "kept update source password";

    private static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    /// <summary>What a node is told; null: it is no distribution point, or there is no repository yet.</summary>
    public static UpdatePlan? For(Office office, NodeSnapshot node, OfficeOptions options, ICertificateIssuer issuer) =>
        !node.Roles.Contains(NodeRole.DistributionPoint) || office.Updates.Root.IsEmpty
            ? null
            : new UpdatePlan(
                office.Updates.Root, office.Updates.Timestamp, options.HeadquartersUpdateAddresses,
                [.. office.DistributionPoints.Where(p => p.NodeId != node.NodeId).Select(p => new NodeHop(p.NodeId, p.Report!.ContentAddresses))],
                [.. Wanted(office)],
                office.Updates.Apt,
                [.. Tasks(office, node).Select(t => t with { Sources = [.. t.Sources.Select(s => For(s, node, issuer))] })],
                [.. office.Updates.Vendors.Select(v => new VendorRoot(v.Name, v.Root))]);

    /// <summary>Whether devices are told the same by both: the timestamp goes along whenever a document is sealed, and makes no new one.</summary>
    public static bool SameForDevices(UpdateBook one, UpdateBook other) =>
        ReferenceEquals(one, other) || (ReferenceEquals(one.Releases, other.Releases) && ReferenceEquals(one.Vendors, other.Vendors) && one.Root.Span.SequenceEqual(other.Root.Span));

    /// <summary>Whether this may change which packages the office's distribution points are to have.</summary>
    public static bool MayPick(IOfficeEvent happened) => happened is DeviceEnrolled or DeviceMovedIn or DeviceMovedOut or DeviceRemoved or DeviceLabelled or DevicePlaced;

    /// <summary>The distribution points that are told other things after than before.</summary>
    public static IEnumerable<NodeSnapshot> ToldAnew(Office before, Office after)
    {
        List<NodeSnapshot> points = [.. after.Nodes.Values.Where(n => n.Roles.Contains(NodeRole.DistributionPoint))];
        return points.Count > 0 && ReferenceEquals(before.Updates, after.Updates) && Peers(before).SequenceEqual(Peers(after))
            && Wanted(before).Select(w => w.Manifest).SequenceEqual(Wanted(after).Select(w => w.Manifest))
            ? points.Where(p => !Tasks(before, p).SequenceEqual(Tasks(after, p)))
            : points;
    }

    private static UpdateSource For(UpdateSource source, NodeSnapshot node, ICertificateIssuer issuer) => source.Password.IsEmpty
        ? source
        : source with { Password = NodeSecret.Seal(node.Certificates[^1].PublicKey.Span, UpdateSource.PasswordPurpose, issuer.OpenSecret(KeptPassword, source.Password.Span)) };

    private static IEnumerable<DownloadTask> Tasks(Office office, NodeSnapshot node) =>
        office.Updates.Tasks.Where(t => DownloadRules.IsFor(t, office.Id, office.Devices.TryGetValue(node.DeviceId, out var device) ? device.Known.Labels : NoLabels));

    private static IEnumerable<string> Peers(Office office) => office.DistributionPoints.SelectMany(p => p.Report!.ContentAddresses.Prepend(p.NodeId.Value));

    // A release that reached a ring which picks nobody here is mirrored all the same when it is for the office: the next ring may.
    private static IEnumerable<WantedUpdate> Wanted(Office office) => office.Updates.Releases
        .Where(r => r.Rings.Count > 0 && office.Devices.Values.Any(d => Picks(r.For, office, d)))
        .DistinctBy(r => r.Manifest)
        .Select(r => new WantedUpdate(r.Package, r.PackageVersion, r.Manifest, r.Length));

    /// <summary>Whether a selector picks a device.</summary>
    public static bool Picks(ReleaseSelector selector, Office office, Device device) =>
        (selector.Offices.Count == 0 || selector.Offices.Contains(office.Id))
        && (selector.Devices.Count == 0 || selector.Devices.Contains(device.Id))
        && selector.Labels.All(l => device.Known.Labels.TryGetValue(l.Key, out var value) && value == l.Value);
}
