namespace Fleet.Updates.Apt;

/// <summary>Why something that an APT repository served was refused.</summary>
public enum AptFault
{
    /// <summary>Not in the format that it should have.</summary>
    Malformed = 1,

    /// <summary>No key of the ring has signed it.</summary>
    Unsigned = 2,

    /// <summary>Its Valid-Until has passed.</summary>
    Expired = 3,

    /// <summary>Its Date lies ahead of the clock.</summary>
    NotYetValid = 4,

    /// <summary>Older than what was accepted before.</summary>
    Rollback = 5,

    /// <summary>Of another suite than the one that was asked for.</summary>
    WrongSuite = 6,

    /// <summary>The source answered with an error, too much, too slowly, or not at all.</summary>
    Unavailable = 7,

    /// <summary>The source does not have it, or it may not be passed on.</summary>
    Missing = 8,
}

/// <summary>Something was refused; what was accepted before still is.</summary>
/// <param name="subject">The source and the file.</param>
public sealed class AptException(AptFault fault, string subject, string detail, Exception? inner = null) : IOException($"{subject}: {detail}", inner)
{
    public AptFault Fault { get; } = fault;
}
