using Fleet.Contracts;
using LinqToDB;
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

    /// <summary>After the node's row says how its link is.</summary>
    public void LinkChanged(long position, NodeId node, bool up, string why, DateTimeOffset at)
    {
        // One that dials periodically has hung up: nothing went wrong.
        if (!up && db.Nodes.Any(n => n.NodeId == node.Value && n.Periodic))
            return;
        var linked = db.Nodes.Count(n => n.OfficeId == node.Office.Value && n.Linked);
        if (up)
            CameUp(position, node, at, first: linked == 1);
        else if (linked > 0)
            Open(position, node.Office.Value, node.Value, why, at);
        else
            WentDark(position, node.Office.Value, why, at);
    }

    /// <summary>An office whose older events are no longer in the journal.</summary>
    public void Begin(long position, OfficeId office)
    {
        var nodes = Known(office.Value).OrderBy(n => n.LinkSince).ToList();
        if (nodes.Exists(n => n.Linked))
            foreach (var down in nodes.Where(n => !n.Linked))
                Open(position, office.Value, down.NodeId, down.LinkReason, down.LinkSince ?? down.EnrolledAt);
        else if (nodes is [.., var last])
            WentDark(position, office.Value, last.LinkReason, last.LinkSince ?? last.EnrolledAt);
    }

    /// <summary>After the node's row is gone: what is removed is nobody's trouble.</summary>
    public void Removed(NodeId node, DateTimeOffset at)
    {
        Close(i => i.Subject == node.Value, at);
        if (!Known(node.Office.Value).Any())
            Closed(node.Office, at);
    }

    public void Closed(OfficeId office, DateTimeOffset at) => Close(i => i.OfficeId == office.Value, at);

    private void CameUp(long position, NodeId node, DateTimeOffset at, bool first)
    {
        Close(i => i.Subject == node.Value || (first && i.OfficeId == node.Office.Value && i.WholeOffice), at);
        if (!first)
            return;
        // The office is back; those of its nodes that are not are incidents of their own from now on.
        foreach (var down in Known(node.Office.Value).Where(n => !n.Linked).ToList())
            Open(position, down.OfficeId, down.NodeId, down.LinkReason, at);
    }

    private void WentDark(long position, string office, string why, DateTimeOffset at)
    {
        // Part of the office's from here.
        Close(i => i.OfficeId == office && !i.WholeOffice, at);
        Open(position, office, office, why, at);
    }

    // One that never linked is being set up; one that dials periodically is not down between its dials.
    private IQueryable<NodeRow> Known(string office) => db.Nodes.Where(n => n.OfficeId == office && (n.Linked || (n.ReportedAt != null && !n.Periodic)));

    private void Open(long position, string office, string subject, string why, DateTimeOffset at)
    {
        if (db.Incidents.Any(i => i.Subject == subject && i.ClosedAt == null))
            return;
        db.InsertOrReplace(new IncidentRow
        {
            Position = position, Subject = subject, OfficeId = office, WholeOffice = subject == office, OpenedAt = at, Why = why,
            Devices = db.Devices.Count(d => d.OfficeId == office),
        });
    }

    private void Close(System.Linq.Expressions.Expression<Func<IncidentRow, bool>> which, DateTimeOffset at)
    {
        var open = db.Incidents.Where(i => i.ClosedAt == null).Where(which);
        open.Where(i => i.OpenedAt > at - Moment).Delete();
        open.Set(i => i.ClosedAt, at).Update();
    }
}
