namespace Fleet.Contracts.Api;

/// <summary>GET /api/v1/storage: how much headquarters keeps.</summary>
/// <param name="Provider"><c>sqlite</c> or <c>postgresql</c>.</param>
/// <param name="JournalBytes">What events and snapshots take of the disk.</param>
/// <param name="JournalFreeBytes">Of them what deleted rows left, for what comes next; absent, like the other: PostgreSQL does not say.</param>
/// <param name="JournalRows">One may hold many events.</param>
/// <param name="Position">The row of the journal up to which lists show what happened.</param>
/// <param name="RebuiltAt">When the read model was last written anew; absent: it never was.</param>
/// <param name="RebuildReached">The row of the journal that a rebuild is at; absent: none is under way.</param>
/// <param name="RebuildEnd">The row that it goes to.</param>
public sealed record StorageResource(
    string Provider,
    long JournalBytes,
    long? JournalFreeBytes,
    long JournalRows,
    long Snapshots,
    long ReadModelBytes,
    long? ReadModelFreeBytes,
    long Position,
    DateTimeOffset? RebuiltAt,
    long? RebuildReached,
    long? RebuildEnd);
