namespace Fleet.Contracts.Api;

/// <summary>A signed APT repository that distribution points pass on.</summary>
/// <param name="Name">Devices reach it as <c>http://DISTRIBUTION-POINT/apt/NAME</c>.</param>
/// <param name="Url">Where it is taken from.</param>
/// <param name="Suites">Those that are passed on; empty: any.</param>
/// <param name="Keys">Fingerprints of the OpenPGP keys any of which may have signed it.</param>
public sealed record AptRepositoryResource(string Name, string Url, IReadOnlyList<string> Suites, IReadOnlyList<string> Keys);

/// <summary>PUT /api/v1/apt/{name}.</summary>
/// <param name="Keyring">OpenPGP public keys, armored or not; as JSON in base64. Those that may not sign are left out.</param>
/// <param name="Suites">Absent: any.</param>
public sealed record AptRepositoryContent(string Url, byte[] Keyring, IReadOnlyList<string>? Suites = null);
