using Fleet.Updates.Tuf;

namespace Fleet.Device.Updates;

/// <summary>Whether the vendors that cover a package list it as the tenant does. One is for one turn.</summary>
/// <param name="vendors">Those that are pinned.</param>
/// <param name="catalogue">What one of them lists.</param>
/// <param name="requireVendor">A package that none covers is not installed.</param>
internal sealed class VendorCheck(IReadOnlyList<PinnedVendor> vendors, Func<PinnedVendor, Catalogue> catalogue, bool requireVendor)
{
    private readonly Dictionary<string, Catalogue> _catalogues = [];

    /// <param name="approved">As the tenant lists it.</param>
    /// <exception cref="NotBroughtException">A vendor that covers the package does not list it so, or nobody shows what it lists.</exception>
    public async Task Confirm(string package, TargetFile approved, CancellationToken stop)
    {
        var covering = vendors.Where(v => v.Covers(package)).ToList();
        if (covering.Count == 0 && requireVendor)
            throw new NotBroughtException($"no vendor covers {package}, and this device installs only what a vendor lists (fleet.agent.updates.require-vendor)");
        foreach (var vendor in covering)
        {
            if (!_catalogues.TryGetValue(vendor.Name, out var listed))
                _catalogues[vendor.Name] = listed = catalogue(vendor);
            var genuine = await listed.Find(approved.Path, stop, found => TwoRoots.Problem(vendor.Name, approved, found) is null).ConfigureAwait(false);
            if (TwoRoots.Problem(vendor.Name, approved, genuine) is { } problem)
                throw new NotBroughtException(listed.Problems.Length == 0 ? problem : $"{problem} ({listed.Problems})");
        }
    }
}
