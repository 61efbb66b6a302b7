using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Headquarters.Updates;

/// <summary>What the company decides on vendors. Pure; whether a vendor's repository is what its root says is found out before, because it takes its time.</summary>
internal static class VendorRules
{
    /// <summary>Names, roots and patterns of all vendors together: they are in each device's document, and an envelope has 48 KiB.</summary>
    public const int MostBytes = 16 * 1024;

    private const int MostVendors = 20;
    private const int MostPatterns = 20;
    private const int MostSource = 500;

    public static CompanyDecision Decide(Company.Company company, PutVendor command, DateTimeOffset now)
    {
        var (vendor, known) = (command.Vendor, company.Updates.Vendors);
        if (Problem(vendor) is { } wrong)
            return Company.Company.Refuse(RefusalCode.Invalid, wrong);
        var before = known.FirstOrDefault(v => v.Name == vendor.Name);
        if (before is not null && Same(before, vendor))
            return new CompanyDecision([], new CompanyAccepted());
        if (before is not null && !before.Root.Span.SequenceEqual(vendor.Root.Span))
            return Company.Company.Refuse(RefusalCode.NotAllowed,
                $"vendor {vendor.Name} is here with another first root, and devices that saw that accept no other: the vendor changes keys by signing its next root, which everybody follows; for another repository use another name");
        if (before is null && known.Count >= MostVendors)
            return Company.Company.Refuse(RefusalCode.Busy, $"there are {MostVendors} vendors, the most that a company has; remove one first");
        var all = known.Where(v => v.Name != vendor.Name).Append(vendor).OrderBy(v => v.Name, StringComparer.Ordinal).ToList();
        return all.Sum(Bytes) > MostBytes
            ? Company.Company.Refuse(RefusalCode.TooLarge, $"the roots and patterns of all vendors together would have more than {MostBytes} bytes, and every device is told of all of them; remove a vendor first, or ask this one for a root with fewer keys")
            : company.Change(company.Updates with { Vendors = all }, $"vendor {vendor.Name} {(before is null ? "added" : "changed")}", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, RemoveVendor command, DateTimeOffset now) =>
        company.Updates.Vendors.Any(v => v.Name == command.Name)
            ? company.Change(company.Updates with { Vendors = [.. company.Updates.Vendors.Where(v => v.Name != command.Name)] }, $"vendor {command.Name} removed", command.By, now)
            : Company.Company.Refuse(RefusalCode.NotFound, $"there is no vendor '{command.Name}'{NearMiss.Hint(command.Name, company.Updates.Vendors.Select(v => v.Name))}");

    /// <summary>Why a vendor can't be named to devices; null: it can.</summary>
    public static string? Problem(Vendor vendor)
    {
        if (IdText.Problem(vendor.Name) is { } misnamed)
            return $"vendor: {misnamed}";
        if (vendor.Packages.Count is 0 or > MostPatterns)
            return $"a vendor has 1 to {MostPatterns} patterns of the packages that it covers, such as 'acme-*'";
        if (vendor.Packages.Select(PackagePattern.Problem).FirstOrDefault(p => p is not null) is { } odd)
            return odd;
        if (vendor.Root.Length is 0 or > MostBytes)
            return $"a vendor's root has 1 to {MostBytes} bytes, not {vendor.Root.Length}: every device is told of it";
        return SourceProblem(vendor.Source);
    }

    /// <summary>Why nobody could begin to trust with this root; null: it is signed as it itself demands.</summary>
    public static string? RootProblem(ReadOnlyMemory<byte> root, DateTimeOffset now)
    {
        try
        {
            _ = TrustedMetadata.From(root.Span, now);
            return null;
        }
        catch (TufException fault)
        {
            return $"this is no root to begin with: {fault.Message}. Ask the vendor for the first root of its repository, 1.root.json";
        }
    }

    private static string? SourceProblem(string source)
    {
        if (source.Length is 0 or > MostSource || source.Any(char.IsControl))
            return $"a vendor's source has 1 to {MostSource} characters";
        if (Path.IsPathFullyQualified(source))
            return null;
        if (!Uri.TryCreate(source, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            return $"'{source}' is no source: a URL that begins with https:// or http://, or the whole path of a folder of headquarters' machine";
        if (url.UserInfo.Length > 0)
            return "the source must not hold a user or a password: everybody who may list vendors would see them";
        return url.Query.Length > 0 || url.Fragment.Length > 0 ? "the source must end with a path: files are asked for below it" : null;
    }

    private static int Bytes(Vendor vendor) => vendor.Name.Length + vendor.Root.Length + vendor.Packages.Sum(p => p.Length);

    // Record equality does not look inside collections.
    private static bool Same(Vendor one, Vendor other) => one.Source == other.Source && one.Root.Span.SequenceEqual(other.Root.Span) && one.Packages.SequenceEqual(other.Packages);
}
