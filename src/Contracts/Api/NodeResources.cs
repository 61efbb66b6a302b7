namespace Fleet.Contracts.Api;

/// <summary>An office node in the REST API.</summary>
/// <param name="Id"><c>name.office</c>.</param>
/// <param name="DeviceId">The device that its own machine is.</param>
/// <param name="DesiredRoles">What headquarters wants it to be.</param>
/// <param name="Roles">What it last said it is.</param>
/// <param name="AppliedVersion">The desired version that the node obeys.</param>
/// <param name="GatewayAddresses">host:port at which the agents of the office reach it.</param>
/// <param name="PushAddresses">The same for its push server.</param>
/// <param name="LinkAddresses">The same for its link port, at which other nodes of the office hand in their links.</param>
/// <param name="LinkedBy">The way its link went last: directly, through which node, or dialled by headquarters.</param>
/// <param name="Through">The node that it is to link through; null: it is to go by itself.</param>
/// <param name="DmzAddress">host:port at which headquarters dials it; null: it dials headquarters.</param>
/// <param name="LinkSince">Since when it is linked or not.</param>
/// <param name="LinkReason">Why it is not linked.</param>
/// <param name="Link"><c>always</c>: it keeps its link; <c>periodic</c>: it dials, brings all up to date and hangs up, so being unlinked between is no fault.</param>
/// <param name="LinkSet">What was set for this node alone: <c>always</c> or <c>periodic</c>; absent: policies decide.</param>
/// <param name="LinkRefusal">Why it is periodic although it should keep its link: the budget, the count and the setting; absent: no reason.</param>
/// <param name="ContentAddresses">host:port of its distribution point.</param>
/// <param name="Mirror">How its mirror stands; absent: it is no distribution point, or has not said yet.</param>
/// <param name="DialSeconds">How often it dials where it is periodic.</param>
public sealed record NodeResource(
    string Id,
    string Office,
    string DeviceId,
    IReadOnlyList<string> DesiredRoles,
    IReadOnlyList<string> Roles,
    ulong DesiredVersion,
    ulong AppliedVersion,
    bool Linked,
    DateTimeOffset? LinkSince,
    string LinkReason,
    IReadOnlyList<string> GatewayAddresses,
    IReadOnlyList<string> PushAddresses,
    IReadOnlyList<string> LinkAddresses,
    string LinkedBy,
    string? Through,
    string? DmzAddress,
    string HostName,
    string Version,
    DateTimeOffset? StartedAt,
    DateTimeOffset? ReportedAt,
    DateTimeOffset EnrolledAt,
    DateTimeOffset CertificateNotAfter,
    IReadOnlyList<string> Problems,
    string Link,
    string? LinkSet,
    string? LinkRefusal,
    double? DialSeconds,
    IReadOnlyList<string> ContentAddresses,
    MirrorResource? Mirror);

/// <summary>What a distribution point has.</summary>
/// <param name="Timestamp">Version of the newest timestamp of the repository that it serves.</param>
/// <param name="Whole">Manifests (SHA-256) of packages of which it has every file.</param>
/// <param name="Problem">Why it lacks something that is wanted; absent: it does not.</param>
public sealed record MirrorResource(ulong Timestamp, IReadOnlyList<string> Whole, string? Problem);

/// <summary>POST /api/v1/nodes/{id}/link.</summary>
/// <param name="Mode"><c>always</c> or <c>periodic</c>; absent: as policies say, which is <c>always</c> where none does.</param>
public sealed record LinkChange(string? Mode);

/// <summary>POST /api/v1/nodes/{id}/roles: adds and removes roles (<c>distribution-point</c>, <c>gateway</c>, <c>push-server</c>, <c>poller</c>).</summary>
public sealed record RoleChange(IReadOnlyList<string>? Add = null, IReadOnlyList<string>? Remove = null);

/// <summary>POST /api/v1/nodes/{id}/way: how the node and headquarters come together; neither field: the node dials headquarters.</summary>
/// <param name="Through">The node of the same office that it links through.</param>
/// <param name="DmzAddress">host:port at which headquarters dials it.</param>
public sealed record WayChange(string? Through = null, string? DmzAddress = null);

/// <summary>POST /api/v1/nodes/dial: a machine that waits to be enrolled.</summary>
/// <param name="Address">host:port.</param>
public sealed record NodeToDial(string Address);
