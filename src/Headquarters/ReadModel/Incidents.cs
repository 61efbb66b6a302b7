using Fleet.Contracts;
using LinqToDB.Mapping;

namespace Fleet.Headquarters.ReadModel;

[Table("incidents")]
internal sealed class IncidentRow
{
    /// <summary>Of the event that opened it.</summary>
    [Column("position"), PrimaryKey(1)] public long Position { get; set; }
    /// <summary>The node; where it is the whole office, the office.</summary>
    [Column("subject", CanBeNull = false), PrimaryKey(2)] public string Subject { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("whole_office")] public bool WholeOffice { get; set; }
    [Column("opened_at")] public DateTimeOffset OpenedAt { get; set; }
    [Column("closed_at")] public DateTimeOffset? ClosedAt { get; set; }
    [Column("why"), NotNull] public string Why { get; set; } = "";
    /// <summary>Devices of the office when it opened.</summary>
    [Column("devices")] public int Devices { get; set; }
}

/// <summary>
/// What went wrong, each thing once: an office without any linked node is one incident, whatever hangs on it; a node that is down while others carry its
/// office is another. Written by the projection, as links come and go.
/// </summary>
internal sealed class Incidents(ReadModelConnection db)
{
    /// <summary>What is over sooner was a restart or a moment's loss, and is nobody's work.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromSeconds(30);

    // Of the open incidents of an office.
    private const string OfSubject = "subject = @subject";
    private const string OfSubjectOrOffice = "(subject = @subject OR whole_office)";
    private const string OfNodes = "NOT whole_office";
    private const string OfAny = "TRUE";

    /// <summary>After the node's row says how its link is.</summary>
    public void LinkChanged(long position, NodeId node, bool up, string why, DateTimeOffset at)
    {
        var nodes = NodesOf(node.Office);
        // One that dials periodically has hung up: nothing went wrong.
        if (!up && nodes.Exists(n => n.Id == node.Value && n.Periodic))
            return;
        var linked = nodes.Count(n => n.Linked);
        if (up)
            CameUp(position, node, nodes, at, first: linked == 1);
        else if (linked > 0)
            Open(position, node.Office, node.Value, why, at);
        else
            WentDark(position, node.Office, why, at);
    }

    /// <summary>An office whose older events are no longer in the journal.</summary>
    public void Begin(long position, OfficeId office)
    {
        var nodes = NodesOf(office).Where(n => n.IsKnown).OrderBy(n => n.LinkSince).ToList();
        if (nodes.Exists(n => n.Linked))
            foreach (var down in nodes.Where(n => !n.Linked))
                Open(position, office, down.Id, down.LinkReason, down.Since);
        else if (nodes is [.., var last])
            WentDark(position, office, last.LinkReason, last.Since);
    }

    /// <summary>After the node's row is gone: what is removed is nobody's trouble.</summary>
    public void Removed(NodeId node, DateTimeOffset at)
    {
        Close(node.Office, OfSubject, node.Value, at);
        if (!NodesOf(node.Office).Exists(n => n.IsKnown))
            Closed(node.Office, at);
    }

    public void Closed(OfficeId office, DateTimeOffset at) => Close(office, OfAny, "", at);

    private void CameUp(long position, NodeId node, List<Known> nodes, DateTimeOffset at, bool first)
    {
        Close(node.Office, first ? OfSubjectOrOffice : OfSubject, node.Value, at);
        if (!first)
            return;
        // The office is back; those of its nodes that are not are incidents of their own from now on.
        foreach (var down in nodes.Where(n => n is { IsKnown: true, Linked: false }))
            Open(position, node.Office, down.Id, down.LinkReason, at);
    }

    private void WentDark(long position, OfficeId office, string why, DateTimeOffset at)
    {
        // Part of the office's from here.
        Close(office, OfNodes, "", at);
        Open(position, office, office.Value, why, at);
    }

    private List<Known> NodesOf(OfficeId office) => db.Read(
        "SELECT node_id, linked, periodic, reported_at IS NOT NULL, link_reason, link_since, enrolled_at FROM nodes WHERE office_id = @office",
        r => new Known(r.GetString(0), r.GetBoolean(1), r.GetBoolean(2), r.GetBoolean(3), r.GetString(4), r.IsDBNull(5) ? null : At(r.GetInt64(5)), At(r.GetInt64(6))),
        ("@office", office.Value));

    private void Open(long position, OfficeId office, string subject, string why, DateTimeOffset at) => db.Run("""
        INSERT INTO incidents (position, subject, office_id, whole_office, opened_at, closed_at, why, devices)
        SELECT @position, @subject, @office, @whole, @at, NULL, @why, (SELECT count(*) FROM devices WHERE office_id = @office)
        WHERE NOT EXISTS (SELECT 1 FROM incidents WHERE office_id = @office AND subject = @subject AND closed_at IS NULL)
        ON CONFLICT (position, subject) DO UPDATE SET closed_at = NULL, opened_at = excluded.opened_at, why = excluded.why, devices = excluded.devices
        """,
        ("@position", position), ("@subject", subject), ("@office", office.Value), ("@whole", subject == office.Value), ("@at", at), ("@why", why));

    private void Close(OfficeId office, string which, string subject, DateTimeOffset at)
    {
        db.Run($"DELETE FROM incidents WHERE office_id = @office AND closed_at IS NULL AND opened_at > @moment AND {which}",
            ("@office", office.Value), ("@moment", at - Moment), ("@subject", subject));
        db.Run($"UPDATE incidents SET closed_at = @at WHERE office_id = @office AND closed_at IS NULL AND {which}", ("@office", office.Value), ("@at", at), ("@subject", subject));
    }

    private static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private readonly record struct Known(string Id, bool Linked, bool Periodic, bool Reported, string LinkReason, DateTimeOffset? LinkSince, DateTimeOffset EnrolledAt)
    {
        // One that never linked is being set up; one that dials periodically is not down between its dials.
        public bool IsKnown => Linked || (Reported && !Periodic);

        public DateTimeOffset Since => LinkSince ?? EnrolledAt;
    }
}
