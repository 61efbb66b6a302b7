using LinqToDB.Mapping;

namespace Fleet.Headquarters.ReadModel;

// The tables behind console and API. Written by the projection and the presence writer alone; times are Unix milliseconds, UTC.

[Table("offices")]
internal sealed class OfficeRow
{
    [Column("office_id", CanBeNull = false), PrimaryKey] public string OfficeId { get; set; } = "";
    [Column("title"), NotNull] public string Title { get; set; } = "";
    [Column("opened_at")] public DateTimeOffset OpenedAt { get; set; }
}

[Table("nodes")]
internal sealed class NodeRow
{
    [Column("node_id", CanBeNull = false), PrimaryKey] public string NodeId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("device_id"), NotNull] public string DeviceId { get; set; } = "";
    [Column("enrolled_at")] public DateTimeOffset EnrolledAt { get; set; }
    [Column("certificate_serial"), NotNull] public string CertificateSerial { get; set; } = "";
    [Column("certificate_not_after")] public DateTimeOffset CertificateNotAfter { get; set; }
    [Column("desired_version")] public long DesiredVersion { get; set; }
    /// <summary>Role names, comma between them.</summary>
    [Column("desired_roles"), NotNull] public string DesiredRoles { get; set; } = "";
    [Column("desired_at")] public DateTimeOffset? DesiredAt { get; set; }
    [Column("applied_version")] public long AppliedVersion { get; set; }
    [Column("reported_roles"), NotNull] public string ReportedRoles { get; set; } = "";
    [Column("reported_at")] public DateTimeOffset? ReportedAt { get; set; }
    [Column("gateway_addresses"), NotNull] public string GatewayAddresses { get; set; } = "";
    [Column("push_addresses"), NotNull] public string PushAddresses { get; set; } = "";
    [Column("link_addresses"), NotNull] public string LinkAddresses { get; set; } = "";
    [Column("content_addresses"), NotNull] public string ContentAddresses { get; set; } = "";
    /// <summary>A MirrorState as the wire's MessagePack; null: it is no distribution point.</summary>
    [Column("mirror")] public byte[]? Mirror { get; set; }
    [Column("linked_by"), NotNull] public string LinkedBy { get; set; } = "";
    [Column("through_node")] public string? Through { get; set; }
    [Column("dmz_address")] public string? DmzAddress { get; set; }
    [Column("always_linked")] public bool? AlwaysLinked { get; set; }
    [Column("periodic")] public bool Periodic { get; set; }
    [Column("dial_ms")] public double DialMilliseconds { get; set; }
    [Column("periodic_why"), NotNull] public string PeriodicWhy { get; set; } = "";
    [Column("version"), NotNull] public string Version { get; set; } = "";
    [Column("host_name"), NotNull] public string HostName { get; set; } = "";
    [Column("started_at")] public DateTimeOffset? StartedAt { get; set; }
    /// <summary>One a line.</summary>
    [Column("problems"), NotNull] public string Problems { get; set; } = "";
    [Column("linked")] public bool Linked { get; set; }
    [Column("link_since")] public DateTimeOffset? LinkSince { get; set; }
    [Column("link_reason"), NotNull] public string LinkReason { get; set; } = "";
}

[Table("devices")]
internal sealed class DeviceRow
{
    [Column("device_id", CanBeNull = false), PrimaryKey] public string DeviceId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("name"), NotNull] public string Name { get; set; } = "";
    [Column("enrolled_at")] public DateTimeOffset EnrolledAt { get; set; }
    [Column("certificate_serial"), NotNull] public string CertificateSerial { get; set; } = "";
    [Column("certificate_not_after")] public DateTimeOffset CertificateNotAfter { get; set; }
    [Column("key_generation")] public long KeyGeneration { get; set; }
    [Column("desired_version")] public long DesiredVersion { get; set; }
    [Column("desired_at")] public DateTimeOffset? DesiredAt { get; set; }
    [Column("reported_version")] public long ReportedVersion { get; set; }
    [Column("reported_at")] public DateTimeOffset? ReportedAt { get; set; }
    [Column("applied_version")] public long AppliedVersion { get; set; }
    /// <summary>By the device's clock.</summary>
    [Column("applied_at")] public DateTimeOffset? AppliedAt { get; set; }
    /// <summary>When headquarters first heard of the applied version, by its own clock.</summary>
    [Column("applied_known_at")] public DateTimeOffset? AppliedKnownAt { get; set; }
    /// <summary>A serialized DeviceReport.</summary>
    [Column("report")] public byte[]? Report { get; set; }
    /// <summary>What is installed: NAME VERSION, each behind and before a line break, so that one of them is found as a whole.</summary>
    [Column("packages"), NotNull] public string Packages { get; set; } = "";
    [Column("host_name"), NotNull] public string HostName { get; set; } = "";
    [Column("os"), NotNull] public string Os { get; set; } = "";
    [Column("agent_version"), NotNull] public string AgentVersion { get; set; } = "";
    /// <summary>Names the newest wake-up; 0 = none yet.</summary>
    [Column("wake_counter")] public long WakeCounter { get; set; }
    [Column("wake_requested_at")] public DateTimeOffset? WakeRequestedAt { get; set; }
    [Column("wake_ended_at")] public DateTimeOffset? WakeEndedAt { get; set; }
    /// <summary>A WakeChannel; null: under way, or the device did not sync.</summary>
    [Column("wake_channel")] public int? WakeChannel { get; set; }
    [Column("wake_took_ms")] public double? WakeTookMilliseconds { get; set; }
    [Column("wake_detail"), NotNull] public string WakeDetail { get; set; } = "";
    [Column("always_connected")] public bool? AlwaysConnected { get; set; }
    [Column("has_place")] public bool HasPlace { get; set; }
    [Column("place_why"), NotNull] public string PlaceWhy { get; set; } = "";
    [Column("clone_seen_at")] public DateTimeOffset? CloneSeenAt { get; set; }
    [Column("clone_evidence"), NotNull] public string CloneEvidence { get; set; } = "";
}

[Table("device_labels")]
internal sealed class DeviceLabelRow
{
    [Column("device_id", CanBeNull = false), PrimaryKey(1)] public string DeviceId { get; set; } = "";
    [Column("label", CanBeNull = false), PrimaryKey(2)] public string Label { get; set; } = "";
    [Column("value"), NotNull] public string Value { get; set; } = "";
}

[Table("presence")]
internal sealed class PresenceRow
{
    [Column("device_id", CanBeNull = false), PrimaryKey] public string DeviceId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("last_sync")] public DateTimeOffset? LastSync { get; set; }
    [Column("through_node")] public string? Through { get; set; }
    /// <summary>A PresenceState.</summary>
    [Column("state")] public int State { get; set; }
    [Column("since")] public DateTimeOffset Since { get; set; }
    [Column("why"), NotNull] public string Why { get; set; } = "";
}

[Table("tokens")]
internal sealed class TokenRow
{
    [Column("token_id", CanBeNull = false), PrimaryKey] public string TokenId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("kind"), NotNull] public string Kind { get; set; } = "";
    [Column("uses")] public int Uses { get; set; }
    [Column("used")] public int Used { get; set; }
    [Column("created_at")] public DateTimeOffset CreatedAt { get; set; }
    [Column("expires_at")] public DateTimeOffset ExpiresAt { get; set; }
    [Column("revoked_at")] public DateTimeOffset? RevokedAt { get; set; }
    [Column("created_by"), NotNull] public string CreatedBy { get; set; } = "";
}

[Table("policies")]
internal sealed class PolicyRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    [Column("version")] public long Version { get; set; }
    [Column("applied_at")] public DateTimeOffset AppliedAt { get; set; }
    [Column("applied_by"), NotNull] public string AppliedBy { get; set; } = "";
    [Column("priority")] public int Priority { get; set; }
    /// <summary>A PolicyDocument as the journal's MessagePack.</summary>
    [Column("document"), NotNull] public byte[] Document { get; set; } = [];
}

[Table("rules")]
internal sealed class RuleRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    /// <summary>In the order of the book.</summary>
    [Column("place")] public int Place { get; set; }
    /// <summary>A PlacementRule as the journal's MessagePack.</summary>
    [Column("rule"), NotNull] public byte[] Rule { get; set; } = [];
}

[Table("device_events")]
internal sealed class DeviceEventRow
{
    /// <summary>The journal's ordering: rises over the whole fleet.</summary>
    [Column("position"), PrimaryKey] public long Position { get; set; }
    [Column("device_id"), NotNull] public string DeviceId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    /// <summary>The device's own number; 0 for what headquarters did to the device.</summary>
    [Column("number")] public long Number { get; set; }
    [Column("kind"), NotNull] public string Kind { get; set; } = "";
    [Column("text"), NotNull] public string Text { get; set; } = "";
    [Column("device_time")] public DateTimeOffset? DeviceTime { get; set; }
    [Column("at")] public DateTimeOffset At { get; set; }
}

[Table("node_events")]
internal sealed class NodeEventRow
{
    [Column("position"), PrimaryKey] public long Position { get; set; }
    [Column("node_id"), NotNull] public string NodeId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    /// <summary>The node's own number; 0 for what headquarters did to the node.</summary>
    [Column("number")] public long Number { get; set; }
    [Column("kind"), NotNull] public string Kind { get; set; } = "";
    [Column("text"), NotNull] public string Text { get; set; } = "";
    [Column("node_time")] public DateTimeOffset? NodeTime { get; set; }
    [Column("at")] public DateTimeOffset At { get; set; }
}

[Table("office_events")]
internal sealed class OfficeEventRow
{
    [Column("position"), PrimaryKey] public long Position { get; set; }
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("kind"), NotNull] public string Kind { get; set; } = "";
    [Column("text"), NotNull] public string Text { get; set; } = "";
    [Column("at")] public DateTimeOffset At { get; set; }
}

/// <summary>How far the projection has read the journal; written in the transaction that writes the rows.</summary>
[Table("projection")]
internal sealed class ProjectionRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    [Column("position")] public long Position { get; set; }
    /// <summary>The shape of the tables; another one is rebuilt from the journal.</summary>
    [Column("format")] public int Format { get; set; }
}

/// <summary>A row of the journal that can't be read; what it said is missing here.</summary>
[Table("unreadable_rows")]
public sealed class UnreadableRow
{
    public const string Event = "event";
    public const string Snapshot = "snapshot";

    [Column("persistence_id", CanBeNull = false), PrimaryKey(1)] public string PersistenceId { get; set; } = "";
    [Column("sequence_nr"), PrimaryKey(2)] public long SequenceNr { get; set; }
    [Column("kind", CanBeNull = false), PrimaryKey(3)] public string Kind { get; set; } = "";
    /// <summary>In the whole journal; 0 of a snapshot.</summary>
    [Column("position")] public long Position { get; set; }
    [Column("manifest"), NotNull] public string Manifest { get; set; } = "";
    [Column("why"), NotNull] public string Why { get; set; } = "";
}

/// <summary>How far the projection has read one twin's events.</summary>
[Table("projected")]
internal sealed class ProjectedRow
{
    [Column("persistence_id", CanBeNull = false), PrimaryKey] public string PersistenceId { get; set; } = "";
    [Column("sequence_nr")] public long SequenceNr { get; set; }
}
