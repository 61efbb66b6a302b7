namespace Fleet.Updates.Tuf;

/// <summary>Why something that a repository served was refused.</summary>
public enum TufFault
{
    /// <summary>Not the JSON that TUF demands, or a field is missing or impossible.</summary>
    Malformed = 1,

    /// <summary>Fewer valid signatures by distinct keys than the delegator demands.</summary>
    Unsigned = 2,

    /// <summary>Not the version that was asked for or promised.</summary>
    WrongVersion = 3,

    /// <summary>Older than what was accepted before, or a role vanished.</summary>
    Rollback = 4,

    /// <summary>No longer valid at the time at which the refresh began.</summary>
    Expired = 5,

    /// <summary>Not the length or the hash that the signed metadata says.</summary>
    Mismatch = 6,

    /// <summary>More bytes than allowed.</summary>
    TooLarge = 7,

    /// <summary>The source brought too few bytes in the time allowed, or none.</summary>
    TooSlow = 8,

    /// <summary>The repository does not have it.</summary>
    Missing = 9,

    /// <summary>The source answered with an error, or not at all.</summary>
    Unavailable = 10,

    /// <summary>More roots or delegated roles than a client follows.</summary>
    TooMany = 11,

    /// <summary>A target path that leads elsewhere (<c>..</c>, absolute, control characters).</summary>
    UnsafePath = 12,

    /// <summary>Valid, yet older than what the caller knows to be published: a frozen mirror.</summary>
    Stale = 13,
}

/// <summary>Something was refused; what was trusted before still is.</summary>
/// <param name="subject">The role or the file.</param>
public sealed class TufException(TufFault fault, string subject, string detail, Exception? inner = null)
    : Exception($"{subject}: {detail}", inner)
{
    public TufFault Fault { get; } = fault;

    public string Subject { get; } = subject;
}
