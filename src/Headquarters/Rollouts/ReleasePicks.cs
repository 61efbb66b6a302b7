using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Google.Protobuf;

namespace Fleet.Headquarters.Rollouts;

/// <summary>Which releases a device should have. Pure, and the same wherever it is asked: document and counts agree.</summary>
public static class ReleasePicks
{
    /// <summary>For each package, the latest release of which a ring picks the device; in order of packages' names.</summary>
    /// <param name="packages">How the device's packages stand; asked for only where that matters.</param>
    public static IReadOnlyList<PickedRelease> For(Office office, Device device, Func<IReadOnlyList<PackageStatus>> packages)
    {
        var picked = new SortedDictionary<string, PickedRelease>(StringComparer.Ordinal);
        foreach (var release in office.Updates.Releases)
            if (RingOf(release, office, device) is { } ring && (!release.Kept || Has(packages(), release)))
                picked[release.Package] = new PickedRelease(release, ring);
        return [.. picked.Values];
    }

    /// <summary>The same, by what the device last reported.</summary>
    public static IReadOnlyList<PickedRelease> For(Office office, Device device) => For(office, device, device.ReadPackages);

    /// <summary>What the device's document says of a release.</summary>
    public static WantedPackage Wanted(Release release)
    {
        var wanted = new WantedPackage
        {
            Name = release.Package,
            Version = release.PackageVersion,
            Manifest = ByteString.CopyFrom(Convert.FromHexString(release.Manifest)),
            Kind = release.Kind,
            Rollout = release.Rollout,
        };
        // In order of their keys: the document is hashed.
        foreach (var (key, value) in release.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal))
            wanted.Parameters.Add(key, value);
        return wanted;
    }

    /// <summary>Whether what a device reports may change what it should have.</summary>
    public static bool HangOnReports(UpdateBook book) => book.Releases.Any(r => r.Kept);

    /// <summary>Whether the device is among so many in a hundred. Who is among few is also among more, and each rollout picks others.</summary>
    public static bool IsAmong(int percent, DeviceId device, string rollout)
    {
        if (percent >= 100)
            return true;
        var place = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{rollout} {device}")));
        return place < (UInt128)ulong.MaxValue * (uint)percent / 100;
    }

    // The first ring that picks it, of those that are reached.
    private static ReleaseRing? RingOf(Release release, Office office, Device device) => UpdatePlans.Picks(release.For, office, device)
        ? release.Rings.FirstOrDefault(r => UpdatePlans.Picks(r.Picks, office, device) && IsAmong(r.Percent, device.Id, release.Rollout))
        : null;

    private static bool Has(IReadOnlyList<PackageStatus> packages, Release release) => packages.Any(p => p.Name == release.Package && p.InstalledVersion == release.PackageVersion);
}

/// <summary>A release that a device should have, and the ring that picks it.</summary>
public readonly record struct PickedRelease(Release Release, ReleaseRing Ring);
