using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf;

namespace Fleet.Office.DistributionPoint;

/// <summary>
/// What the vendors list, mirrored in a directory each and verified by the vendor's own root: metadata alone, since the content is the tenant's too. A vendor that
/// can't be read leaves the last good list. Thread-safe but for <see cref="Refresh"/>, which one caller at a time may use.
/// </summary>
/// <param name="mirror">Opens a mirror in a directory.</param>
internal sealed class VendorLists(string directory, Func<string, Mirror> mirror)
{
    private volatile IReadOnlyList<(VendorRoot Vendor, string Folder, Mirror Mirror)> _vendors = [];

    /// <summary>Serves these from now on, as far as they were mirrored before.</summary>
    public void Obey(IReadOnlyList<VendorRoot> vendors)
    {
        var before = _vendors;
        _vendors = [.. vendors.Select(v => VendorFolder.Of(v.Name, v.Root.Span) is var folder && before.FirstOrDefault(b => b.Folder == folder) is { Mirror: not null } known ? known : (v, folder, Open(folder)))];
    }

    /// <summary>A metadata file of a vendor; null: there is no such vendor or file.</summary>
    public byte[]? Metadata(string vendor, string name) => _vendors.FirstOrDefault(v => v.Vendor.Name == vendor).Mirror?.Metadata(name);

    /// <summary>Takes the newest of each vendor, all at a time.</summary>
    /// <param name="sources">Of a vendor, in the order in which they are tried.</param>
    /// <returns>Whether all could be read, and what sources failed by.</returns>
    public async Task<(bool All, IReadOnlyList<string> Problems)> Refresh(Func<string, IReadOnlyList<RepositorySource>> sources, DateTimeOffset now, CancellationToken cancellation)
    {
        var ends = await Task.WhenAll(_vendors.Select(v => Read(v.Vendor, v.Mirror, sources(v.Vendor.Name), now, cancellation)));
        return (ends.All(e => e.Read), [.. ends.SelectMany(e => e.Problems)]);
    }

    private static async Task<(bool Read, IEnumerable<string> Problems)> Read(VendorRoot vendor, Mirror known, IReadOnlyList<RepositorySource> sources, DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            known.Begin(vendor.Root.ToArray());
            var (_, failures) = await known.Refresh(sources, now, least: 0, cancellation);
            return (true, failures.Select(f => $"vendor {vendor.Name}: {f}"));
        }
        catch (Exception fault) when (fault is MirrorException or TufException or StorageException)
        {
            return (false, [$"vendor {vendor.Name} can't be read, the last good list is served: {fault.Message}"]);
        }
    }

    private Mirror Open(string folder)
    {
        var opened = mirror(Path.Combine(directory, folder));
        opened.Resume();
        return opened;
    }
}
