namespace Fleet.Updates.Apt;

/// <summary>A signed APT repository that is passed on.</summary>
/// <param name="Name">First part of the path under which it is served.</param>
/// <param name="Url">Of the repository, as in a line of sources.list.</param>
/// <param name="Keyring">OpenPGP public keys, armored or not, any of which may have signed its releases.</param>
/// <param name="Suites">Those that are passed on; empty: any.</param>
public sealed record AptSource(string Name, string Url, ReadOnlyMemory<byte> Keyring, IReadOnlyList<string> Suites);
