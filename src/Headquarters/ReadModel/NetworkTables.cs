using LinqToDB.Mapping;

namespace Fleet.Headquarters.ReadModel;

// What is on the offices' networks, and the polls that saw it.

/// <summary>Who polls an office, and how.</summary>
[Table("pollings")]
internal sealed class PollingRow
{
    [Column("office_id", CanBeNull = false), PrimaryKey] public string OfficeId { get; set; } = "";
    [Column("poller")] public string? Poller { get; set; }
    /// <summary>A PollPlan as the journal's MessagePack; null: the defaults.</summary>
    [Column("poll_plan")] public byte[]? Plan { get; set; }
}

[Table("polls")]
internal sealed class PollRow
{
    [Column("poll_id", CanBeNull = false), PrimaryKey] public string PollId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("node_id"), NotNull] public string NodeId { get; set; } = "";
    /// <summary>A PollMethod.</summary>
    [Column("method")] public int Method { get; set; }
    [Column("whole")] public bool Full { get; set; }
    [Column("ranges"), NotNull] public string Ranges { get; set; } = "";
    /// <summary>Blank: the plan.</summary>
    [Column("asked_by"), NotNull] public string AskedBy { get; set; } = "";
    [Column("begun_at")] public DateTimeOffset BegunAt { get; set; }
    [Column("ended_at")] public DateTimeOffset? EndedAt { get; set; }
    /// <summary>A PollOutcome; null: under way.</summary>
    [Column("outcome")] public int? Outcome { get; set; }
    [Column("why"), NotNull] public string Why { get; set; } = "";
    [Column("done")] public int Done { get; set; }
    /// <summary>0: not known yet.</summary>
    [Column("total")] public int Total { get; set; }
    [Column("found")] public int Found { get; set; }
    [Column("packets")] public long Packets { get; set; }
    /// <summary>One a line.</summary>
    [Column("cannot_see"), NotNull] public string CannotSee { get; set; } = "";
}

/// <summary>A device without an agent.</summary>
[Table("discovered")]
internal sealed class DiscoveredRow
{
    [Column("discovered_id", CanBeNull = false), PrimaryKey] public string DiscoveredId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("name"), NotNull] public string Name { get; set; } = "";
    [Column("mac"), NotNull] public string Mac { get; set; } = "";
    [Column("vendor"), NotNull] public string Vendor { get; set; } = "";
    /// <summary>Comma between them, the newest first.</summary>
    [Column("addresses"), NotNull] public string Addresses { get; set; } = "";
    /// <summary>Comma between them, with their protocols and names.</summary>
    [Column("services"), NotNull] public string Services { get; set; } = "";
    [Column("first_seen")] public DateTimeOffset FirstSeen { get; set; }
    [Column("last_seen")] public DateTimeOffset LastSeen { get; set; }
    [Column("seen_by"), NotNull] public string SeenBy { get; set; } = "";
    /// <summary>A PollMethod.</summary>
    [Column("seen_with")] public int SeenWith { get; set; }
    [Column("ignored")] public bool Ignored { get; set; }
    /// <summary>A DiscoveredDevice as the journal's MessagePack: all of it.</summary>
    [Column("device"), NotNull] public byte[] Device { get; set; } = [];
}

/// <summary>An agent that is or was set up on a discovered device.</summary>
[Table("installs")]
internal sealed class InstallRow
{
    [Column("install_id", CanBeNull = false), PrimaryKey] public string InstallId { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("discovered_id"), NotNull] public string DiscoveredId { get; set; } = "";
    [Column("name"), NotNull] public string Name { get; set; } = "";
    [Column("node_id"), NotNull] public string NodeId { get; set; } = "";
    [Column("address"), NotNull] public string Address { get; set; } = "";
    [Column("port")] public int Port { get; set; }
    [Column("begun_at")] public DateTimeOffset BegunAt { get; set; }
    /// <summary>An InstallStep; null: not heard of yet.</summary>
    [Column("step")] public int? Step { get; set; }
    [Column("device_id")] public string? DeviceId { get; set; }
    [Column("ended_at")] public DateTimeOffset? EndedAt { get; set; }
    /// <summary>An InstallOutcome; null: under way.</summary>
    [Column("outcome")] public int? Outcome { get; set; }
    [Column("detail"), NotNull] public string Detail { get; set; } = "";
    [Column("host_key"), NotNull] public string HostKey { get; set; } = "";
}

/// <summary>A managed device that polls met.</summary>
[Table("network_seen")]
internal sealed class NetworkSeenRow
{
    [Column("device_id", CanBeNull = false), PrimaryKey] public string DeviceId { get; set; } = "";
    [Column("at")] public DateTimeOffset At { get; set; }
    [Column("seen_by"), NotNull] public string SeenBy { get; set; } = "";
    /// <summary>A PollMethod.</summary>
    [Column("seen_with")] public int SeenWith { get; set; }
}
