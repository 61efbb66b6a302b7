using Fleet.Updates.Content;

namespace Fleet.Updates.Apt;

/// <summary>An index or a package that a verified list names.</summary>
/// <param name="Path">In the repository, for people.</param>
/// <param name="At">Paths at the source, in the order in which they are tried.</param>
public sealed record AptFile(string Repository, string Path, BlobHash Hash, long Length, IReadOnlyList<string> At);

/// <summary>A file of a signed release.</summary>
/// <param name="Date">Of the release.</param>
/// <param name="Stale">Why it may not be the newest; null: it is.</param>
public sealed record AptRelease(byte[] Content, DateTimeOffset Date, string? Stale);

/// <summary>How a suite stands.</summary>
/// <param name="Date">Of the release that is served; null: there is none.</param>
/// <param name="AskedAt">When its source was last asked.</param>
/// <param name="Problem">Why the source's release is not served; null: it is.</param>
public sealed record AptSuiteState(string Repository, string Suite, DateTimeOffset? Date, DateTimeOffset? ValidUntil, DateTimeOffset? AskedAt, string? Problem);

/// <summary>Bytes that passed.</summary>
/// <param name="Host">Of the repository's source.</param>
/// <param name="FromUpstream">That came from the source.</param>
/// <param name="Served">That went to a device.</param>
/// <param name="Hit">Whether what was served was here before it was asked for.</param>
public sealed record AptTraffic(string Repository, string Host, long FromUpstream, long Served, bool Hit);
