namespace Fleet.Contracts.Api;

/// <summary>Who signs the update repository.</summary>
/// <param name="RootVersion">Of the root that says so.</param>
public sealed record RepositoryKeysResource(long RootVersion, DateTimeOffset RootExpires, IReadOnlyList<RoleKeysResource> Roles);

/// <param name="Role"><c>root</c>, <c>targets</c>, <c>snapshot</c> or <c>timestamp</c>.</param>
/// <param name="Keys">Ids of the keys that may sign.</param>
/// <param name="Threshold">How many of them must.</param>
/// <param name="AtHand">Headquarters has one of them.</param>
public sealed record RoleKeysResource(string Role, IReadOnlyList<string> Keys, int Threshold, bool AtHand);

/// <summary>POST /api/v1/repository/root/draft.</summary>
/// <param name="Rotate">Roles that get new keys by the next root.</param>
/// <param name="RootKey">Who alone signs roots from the next on; absent: who does now.</param>
public sealed record RootDraftRequest(IReadOnlyList<string>? Rotate = null, PublicKeyResource? RootKey = null);

/// <summary>A public key as TUF metadata lists it.</summary>
public sealed record PublicKeyResource(string KeyType, string Scheme, string Public);

/// <summary>A root as TUF metadata, signed or to be signed.</summary>
public sealed record RootDocument(byte[] Document);
