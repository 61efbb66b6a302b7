namespace Fleet.Contracts.Api;

/// <summary>A task that makes distribution points download updates.</summary>
/// <param name="Offices">Whose distribution points run it; empty: all.</param>
/// <param name="Sources">Tried in order.</param>
/// <param name="Patterns">Packages that are mirrored besides those that devices of the office should have.</param>
/// <param name="Schedule">A cron expression, <c>on-change</c>, or absent: only when told.</param>
/// <param name="TimeZone">In which schedule and hours are read.</param>
/// <param name="SpreadSeconds">Each node begins anywhere up to this later.</param>
/// <param name="Uplink">Limits by the hour of the day; empty: none.</param>
/// <param name="RunNumber">Rises whenever it is told to run.</param>
/// <param name="Labels">Labels that a distribution point's own device must all have; absent: any.</param>
public sealed record DownloadTaskResource(
    string Name,
    IReadOnlyList<string> Offices,
    IReadOnlyList<DownloadSource> Sources,
    IReadOnlyList<string> Patterns,
    string? Schedule,
    string TimeZone,
    double SpreadSeconds,
    IReadOnlyList<UplinkLimit> Uplink,
    ulong RunNumber,
    bool Paused,
    IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>PUT /api/v1/updates/tasks/{name}.</summary>
/// <param name="Schedule">Absent: <c>on-change</c>; empty: only when told.</param>
/// <param name="TimeZone">IANA name. Absent: UTC.</param>
/// <param name="Labels">Labels that a distribution point's own device must all have; absent or empty: any.</param>
public sealed record DownloadTaskContent(
    IReadOnlyList<DownloadSource> Sources,
    IReadOnlyList<string>? Offices = null,
    IReadOnlyList<string>? Patterns = null,
    string? Schedule = null,
    string? TimeZone = null,
    double SpreadSeconds = 0,
    IReadOnlyList<UplinkLimit>? Uplink = null,
    IReadOnlyDictionary<string, string>? Labels = null);

/// <param name="From"><c>headquarters</c>, a URL, or an absolute path on the node.</param>
/// <param name="Proxy">http://HOST:PORT; absent: the node's own settings.</param>
/// <param name="User">Who asks (HTTP Basic).</param>
/// <param name="Password">In no answer. Absent: the one that is kept for this user there.</param>
/// <param name="Pin">SHA-256 of the server's public key, in hexadecimal: no other is accepted; absent: the node's own trust.</param>
public sealed record DownloadSource(string From, string? Proxy = null, string? User = null, string? Password = null, string? Pin = null)
{
    public override string ToString() => From;
}

/// <param name="FromHour">0 to 23; it holds until the next one's.</param>
/// <param name="BytesPerSecond">0: no limit.</param>
public sealed record UplinkLimit(int FromHour, long BytesPerSecond);

/// <summary>How a task stands at one distribution point.</summary>
/// <param name="State"><c>waits</c>, <c>running</c>, <c>full</c>, <c>partial</c>, <c>failed</c>, <c>stopped</c>, <c>cancelled</c> or <c>unknown</c>.</param>
/// <param name="Why">What it waits for, what it lacks and why; absent: nothing.</param>
/// <param name="RunNumber">Of the run that is told of.</param>
/// <param name="BeganAt">Absent: no run yet.</param>
/// <param name="EndedAt">Absent: none, or it is under way.</param>
/// <param name="Timestamp">Version of the repository's timestamp that it serves.</param>
/// <param name="Here">Bytes of what it is to mirror that are here; of all its tasks.</param>
/// <param name="Total">Bytes of all that it is to mirror.</param>
/// <param name="BytesPerSecond">That come now.</param>
/// <param name="SecondsLeft">Until all is here, at this rate; absent: nothing comes.</param>
public sealed record DownloadNodeResource(
    string Office,
    string Node,
    bool Linked,
    string State,
    string? Why,
    ulong RunNumber,
    DateTimeOffset? BeganAt,
    DateTimeOffset? EndedAt,
    ulong Timestamp,
    long Here,
    long Total,
    long BytesPerSecond,
    double? SecondsLeft);
