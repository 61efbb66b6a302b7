using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Sync;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Google.Protobuf;

namespace Fleet.Device.Updates;

/// <summary>
/// A vendor that headquarters named once, and that this device holds on to whatever headquarters says later: whoever captures headquarters must not be able to
/// drop or swap who says what is genuine. Only the machine's own administrator can make it be forgotten. Immutable.
/// </summary>
/// <param name="Root">The first root that was seen.</param>
/// <param name="Packages">Every pattern that was ever named for it, in order.</param>
public sealed record PinnedVendor(string Name, ByteString Root, IReadOnlyList<string> Packages)
{
    public const string DroppedVendor = "update-vendor-dropped";
    public const string SwappedVendor = "update-vendor-swapped";
    public const string UnusableVendor = "update-vendor-unusable";

    /// <summary>Bounds of what is kept, wide of what headquarters allows itself: documents are small, but many may come.</summary>
    private const int MostVendors = 50;
    private const int MostPatterns = 100;

    /// <summary>SHA-256 of another first root that headquarters named last; empty: none.</summary>
    public ByteString RefusedRoot { get; init; } = ByteString.Empty;

    /// <summary>Headquarters names it no more.</summary>
    public bool IsDropped { get; init; }

    public bool Covers(string package) => PackagePattern.Any(Packages, package);

    /// <summary>What is pinned after headquarters named its vendors, and what of it belongs into the device's history.</summary>
    public static (IReadOnlyList<PinnedVendor> Vendors, IReadOnlyList<Note> Notes) Take(IReadOnlyList<PinnedVendor> pinned, IReadOnlyCollection<TrustedVendor> named)
    {
        var notes = new List<Note>();
        var known = named.Where(v => IdText.Problem(v.Name) is null).GroupBy(v => v.Name).ToDictionary(g => g.Key, g => g.First());
        var next = pinned.Select(p => known.GetValueOrDefault(p.Name) is { } again ? p.Named(again, notes) : p.Dropped(notes)).ToList();
        foreach (var vendor in known.Values.Where(v => pinned.All(p => p.Name != v.Name)).OrderBy(v => v.Name, StringComparer.Ordinal))
        {
            if (next.Count < MostVendors)
                next.Add(new PinnedVendor(vendor.Name, vendor.Root, []).Widened(vendor));
            else
                notes.Add(new Note(UnusableVendor, $"vendor {vendor.Name} is not held on to: {MostVendors} are already"));
            if (!IsRoot(vendor.Root))
                notes.Add(new Note(UnusableVendor, $"the root of vendor {vendor.Name} that headquarters named can't be used, so what it covers is not installed"));
        }

        // As it was, where nothing is new.
        return (next.SequenceEqual(pinned) ? pinned : [.. next.OrderBy(v => v.Name, StringComparer.Ordinal)], notes);
    }

    /// <summary>Compares what is in it.</summary>
    public bool Equals(PinnedVendor? other) =>
        other is not null && (Name, IsDropped) == (other.Name, other.IsDropped) && Root == other.Root && RefusedRoot == other.RefusedRoot && Packages.SequenceEqual(other.Packages);

    public override int GetHashCode() => HashCode.Combine(Name, Root, Packages.Count);

    /// <summary>The folder of what is trusted of it.</summary>
    public string FolderName => VendorFolder.Of(Name, Root.Span);

    private PinnedVendor Named(TrustedVendor named, List<Note> notes)
    {
        var now = (this with { IsDropped = false }).Widened(named);
        if (named.Root == Root)
            return now with { RefusedRoot = ByteString.Empty };
        // Nothing could be trusted with the one before, so nothing is swapped.
        if (!IsRoot(Root) && IsRoot(named.Root))
            return now with { Root = named.Root, RefusedRoot = ByteString.Empty };
        var refused = ByteString.CopyFrom(SHA256.HashData(named.Root.Span));
        if (refused != RefusedRoot)
            notes.Add(new Note(SwappedVendor, $"headquarters names another first root for vendor {Name} (SHA-256 {Convert.ToHexStringLower(refused.Span)}); the one that was seen first stays"));
        return now with { RefusedRoot = refused };
    }

    private PinnedVendor Dropped(List<Note> notes)
    {
        if (!IsDropped)
            notes.Add(new Note(DroppedVendor, $"headquarters names vendor {Name} no more; {string.Join(", ", Packages)} are installed all the same only where it lists them"));
        return this with { IsDropped = true };
    }

    // Never narrowed: that would let something through.
    private PinnedVendor Widened(TrustedVendor named)
    {
        var added = named.Packages.Where(p => PackagePattern.Problem(p) is null).Except(Packages).ToList();
        return added.Count == 0 ? this : this with { Packages = [.. Packages.Concat(added).Take(MostPatterns).Order(StringComparer.Ordinal)] };
    }

    private static bool IsRoot(ByteString root)
    {
        try
        {
            _ = TrustedMetadata.From(root.Span, DateTimeOffset.UnixEpoch);
            return true;
        }
        catch (TufException)
        {
            return false;
        }
    }
}
