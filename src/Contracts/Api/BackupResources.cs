namespace Fleet.Contracts.Api;

/// <summary>Asks for a backup; the answer is the file itself.</summary>
/// <param name="Passphrase">Encrypts it; at least 12 characters.</param>
/// <param name="Plain">True where it is not to be encrypted, though it holds headquarters' keys.</param>
/// <param name="WithoutContent">Leaves the files of packages out.</param>
public sealed record NewBackup(string? Passphrase, bool Plain, bool WithoutContent);

/// <summary>GET /api/v1/backups: those that headquarters makes by itself.</summary>
/// <param name="Folder">Where they lie; absent: it makes none.</param>
/// <param name="NextAt">When the next is due.</param>
/// <param name="Problem">Why the last could not be made, or that one is missed; absent: nothing is wrong.</param>
/// <param name="Backups">The newest first.</param>
public sealed record BackupsResource(string? Folder, DateTimeOffset? NextAt, string? Problem, IReadOnlyList<StoredBackupResource> Backups);

/// <param name="Name">Of the file, in the folder.</param>
/// <param name="Length">Bytes.</param>
public sealed record StoredBackupResource(string Name, long Length, DateTimeOffset MadeAt);
