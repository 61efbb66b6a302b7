namespace Fleet.Contracts.Api;

/// <summary>GET /api/v1/status: the fleet in numbers.</summary>
/// <param name="Converged">Devices that run what is desired.</param>
/// <param name="Clones">Devices of which a second machine was seen.</param>
/// <param name="Incidents">What went wrong and goes on: offices without a linked node, and nodes that are down while others carry their office.</param>
/// <param name="StartedAt">When this headquarters process started.</param>
/// <param name="AuthorityNotAfter">When headquarters' own CA runs out: no certificate outlives it.</param>
/// <param name="Unreadable">Rows of the journal that can't be read; absent: none is known.</param>
public sealed record StatusResource(
    string Version,
    DateTimeOffset StartedAt,
    int Offices,
    int Nodes,
    int LinkedNodes,
    int Devices,
    int Converged,
    int Clones,
    int Policies,
    int Incidents,
    DateTimeOffset AuthorityNotAfter,
    IReadOnlyList<UnreadableRowResource>? Unreadable = null);

/// <summary>A row of the journal that can't be read: what it said is missing, and its owner refuses what it is asked.</summary>
/// <param name="Owner">The office, as <c>office-NAME</c>, or <c>company</c>.</param>
/// <param name="Kind"><c>event</c> or <c>snapshot</c>.</param>
/// <param name="Number">Among its owner's events; of a snapshot, the last event in it.</param>
/// <param name="Position">In the whole journal; 0 of a snapshot.</param>
/// <param name="Content">What it says that it holds.</param>
public sealed record UnreadableRowResource(string Owner, string Kind, long Number, long Position, string Content, string Why);

/// <summary>One entry of a history, or of the event stream.</summary>
/// <param name="Position">Rises over the whole fleet.</param>
/// <param name="Subject">The device, node or office that it is about.</param>
/// <param name="Number">The source's own number; 0 for what headquarters did.</param>
/// <param name="SourceTime">By the clock of the device or node.</param>
public sealed record EventResource(
    long Position,
    string Office,
    string Subject,
    ulong Number,
    string Kind,
    string Text,
    DateTimeOffset? SourceTime,
    DateTimeOffset At);

/// <summary>Something that went wrong, once.</summary>
/// <param name="Kind"><c>office-down</c>: none of its nodes is linked; <c>node-down</c>: others carry its office.</param>
/// <param name="Subject">The office, or the node.</param>
/// <param name="ClosedAt">When it was over; absent: it goes on.</param>
/// <param name="Devices">How many devices the office had when it began.</param>
public sealed record IncidentResource(string Id, string Kind, string Office, string Subject, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt, string Why, int Devices);

/// <summary>An error in the REST API (RFC 9457).</summary>
/// <param name="Code">The name of a <see cref="RefusalCode"/>.</param>
public sealed record ProblemResource(string? Type, string? Title, int? Status, string? Detail, string? Code);
