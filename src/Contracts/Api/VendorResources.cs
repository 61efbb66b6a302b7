namespace Fleet.Contracts.Api;

/// <summary>A vendor whose signed repository says which packages are genuine.</summary>
/// <param name="Packages">Patterns of the packages that it covers.</param>
/// <param name="Source">Where headquarters reads its repository.</param>
/// <param name="Root">SHA-256 of the first root of its repository, which everybody begins to trust it with.</param>
/// <param name="Timestamp">Version of its newest timestamp that was read and verified; 0: none yet.</param>
/// <param name="ReadAt">Absent: not since headquarters started.</param>
/// <param name="Problem">Why it could not be read the last time; what it listed before counts on.</param>
public sealed record VendorResource(string Name, IReadOnlyList<string> Packages, string Source, string Root, long Timestamp, DateTimeOffset? ReadAt, string? Problem);

/// <summary>A vendor and what it lists.</summary>
public sealed record VendorDetailResource(VendorResource Vendor, IReadOnlyList<VendorPackageResource> Lists);

/// <param name="Manifest">SHA-256 of its manifest, as the vendor signed it.</param>
/// <param name="Published">Headquarters has published it, with the same manifest.</param>
public sealed record VendorPackageResource(string Name, string Version, string Manifest, bool Published);

/// <summary>PUT /api/v1/vendors/{name}.</summary>
/// <param name="Root">The first root of its repository, as signed; as JSON in base64.</param>
/// <param name="Packages">Patterns of the packages that it covers, such as <c>acme-*</c>.</param>
/// <param name="Source">A URL, or the whole path of a folder of headquarters' machine.</param>
public sealed record VendorContent(byte[] Root, IReadOnlyList<string> Packages, string Source);

/// <summary>POST /api/v1/vendors/{name}/publish: a version of a package that the vendor lists.</summary>
public sealed record VendorUpdate(string Name, string Version);

/// <summary>The answer to a publication from a vendor.</summary>
/// <param name="Published">Absent: its content is still on its way; ask again.</param>
/// <param name="Here">Bytes of its files that are at headquarters.</param>
/// <param name="Total">Of all its files; 0: not known yet.</param>
public sealed record VendorPublished(UpdatePublished? Published, long Here, long Total);
