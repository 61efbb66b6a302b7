namespace Fleet.Contracts;

/// <summary>Why something was refused. Numbers are on the wire and in journals: add, never change.</summary>
public enum RefusalCode
{
    /// <summary>The subject (office, node, device, token, policy) does not exist.</summary>
    NotFound = 1,

    /// <summary>The name is taken.</summary>
    AlreadyExists = 2,

    /// <summary>The request is malformed; the detail says where.</summary>
    Invalid = 3,

    /// <summary>The caller's certificate or token does not allow this.</summary>
    NotAllowed = 4,

    /// <summary>The join token's time is over.</summary>
    TokenExpired = 5,

    /// <summary>The join token was revoked.</summary>
    TokenRevoked = 6,

    /// <summary>All uses of the join token are spent.</summary>
    TokenSpent = 7,

    /// <summary>The join token belongs to another office.</summary>
    WrongOffice = 8,

    /// <summary>The join token is for the other kind (node or agent).</summary>
    WrongKind = 9,

    /// <summary>The proof does not match: the token's secret is wrong or the request was altered on its way.</summary>
    ProofFailed = 10,

    /// <summary>The carrier has no working link to headquarters; try again later.</summary>
    HeadquartersUnreachable = 11,

    /// <summary>Another machine uses the same identity.</summary>
    Clone = 12,

    /// <summary>The subject was removed at headquarters; it must enrol anew.</summary>
    Removed = 13,

    /// <summary>An envelope could not be opened or was replayed.</summary>
    EnvelopeRejected = 14,

    /// <summary>The other side speaks a protocol version that this one does not.</summary>
    UnsupportedVersion = 15,

    /// <summary>The office is not empty.</summary>
    NotEmpty = 16,

    /// <summary>Too much at once; try again after the wait named.</summary>
    Busy = 17,

    /// <summary>The message is larger than allowed.</summary>
    TooLarge = 18,

    /// <summary>The device is not of this office; its home is named in the detail.</summary>
    Moved = 19,
}
