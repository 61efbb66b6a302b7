namespace Fleet.Contracts.Api;

/// <summary>Asks for a backup; the answer is the file itself.</summary>
/// <param name="Passphrase">Encrypts it; at least 12 characters.</param>
/// <param name="Plain">True where it is not to be encrypted, though it holds headquarters' keys.</param>
/// <param name="WithoutContent">Leaves the files of packages out.</param>
public sealed record NewBackup(string? Passphrase, bool Plain, bool WithoutContent);
