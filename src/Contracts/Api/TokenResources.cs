namespace Fleet.Contracts.Api;

/// <summary>A join token in the REST API; its secret is told once, at its creation.</summary>
/// <param name="Kind"><c>node</c> or <c>agent</c>.</param>
/// <param name="State"><c>usable</c>, <c>spent</c>, <c>expired</c> or <c>revoked</c>.</param>
public sealed record TokenResource(
    string Id,
    string Office,
    string Kind,
    string State,
    int Uses,
    int Used,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt,
    string CreatedBy);

/// <summary>POST /api/v1/tokens.</summary>
/// <param name="Kind"><c>node</c> or <c>agent</c>.</param>
/// <param name="Uses">How many may join with it.</param>
/// <param name="TimeToLive">A duration such as <c>24h</c>.</param>
public sealed record NewToken(string Office, string Kind, int Uses = 1, string TimeToLive = "24h");

/// <summary>A fresh token with its secret.</summary>
/// <param name="Text">The whole token; kept nowhere, so copy it now.</param>
public sealed record CreatedToken(string Id, string Office, string Kind, string Text, DateTimeOffset ExpiresAt);
