using MessagePack;

namespace Fleet.Messages.Company;

// Which signed APT repositories distribution points pass on; they stand in the book of updates.

/// <summary>Adds the repository, or changes the one of that name.</summary>
[MessagePackObject]
public sealed record PutAptRepository([property: Key(0)] AptRepository Repository, [property: Key(1)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record RemoveAptRepository([property: Key(0)] string Name, [property: Key(1)] string By) : ICompanyCommand;
