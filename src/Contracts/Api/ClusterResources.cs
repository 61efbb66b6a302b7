namespace Fleet.Contracts.Api;

/// <summary>Lets one more headquarters node join, once. Secret: who has it becomes headquarters.</summary>
/// <param name="Text">What <c>headquarters join --invitation</c> takes.</param>
public sealed record ClusterInvitationResource(string Text, DateTimeOffset ExpiresAt);

/// <summary>What makes a machine a node of this headquarters: the files of its identity, by their path in the data directory.</summary>
public sealed record ClusterIdentityResource(IReadOnlyDictionary<string, byte[]> Files);

/// <summary>One headquarters node.</summary>
/// <param name="Address"><c>host:port</c> by which the other nodes know it.</param>
/// <param name="Status"><c>joining</c>, <c>up</c>, <c>draining</c>, <c>leaving</c> or <c>unreachable</c>.</param>
/// <param name="Oldest">Whether it holds what runs once: the company and the projection.</param>
/// <param name="Self">Whether it is the node that answers.</param>
/// <param name="Version">Of its program, as it said when it came.</param>
/// <param name="StartedAt">Absent, like all that follows but offices: the node does not answer.</param>
/// <param name="Links">Office nodes that are linked to it.</param>
/// <param name="Offices">Offices whose truth is kept on it.</param>
/// <param name="MemoryBytes">Resident.</param>
/// <param name="Processors">The share of its machine's processors that it uses, from 0 to 1.</param>
/// <param name="ClockOff">Seconds that its clock is ahead of the answering node's, as far as a question's way there and back tells.</param>
/// <param name="Overload">Why it is overloaded; absent: it is not.</param>
public sealed record ClusterNodeResource(
    string Address,
    string Status,
    bool Oldest,
    bool Self,
    string? Version,
    DateTimeOffset? StartedAt,
    int? Links,
    int Offices,
    long? MemoryBytes,
    double? Processors,
    double? ClockOff,
    string? Overload);
