using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.ReadModel.Paging;
using JoinKind = Fleet.Messages.Offices.JoinKind;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Shows what the read model knows. Lists are paged, filtered and sorted in SQL.</summary>
public sealed class ReadModelQueries(ReadModelStore store, TimeProvider clock)
{
    public async Task<Page<OfficeView>> Offices(OfficeFilter filter)
    {
        await using var db = store.Open();
        IQueryable<OfficeRow> rows = db.Offices;
        if (filter.Text is { Length: > 0 } text)
            rows = rows.Where(o => o.OfficeId.Contains(text, AnyCase) || o.Title.Contains(text, AnyCase));
        if (filter.Office is { } office)
            rows = rows.Where(o => o.OfficeId == office.Value);
        var sorted = filter.DownFirst
            ? rows.OrderByDescending(o => db.Nodes.Count(n => n.OfficeId == o.OfficeId && !n.Linked && !n.Periodic) > 0 ? 1 : 0).ThenBy(o => o.OfficeId)
            : rows.OrderBy(o => o.OfficeId);
        return new Page<OfficeView>(await Counted(db, sorted.Paged(filter.Page)).ToListAsync(), await rows.CountAsync());
    }

    public async Task<OfficeView?> Office(OfficeId office)
    {
        await using var db = store.Open();
        return await Counted(db, db.Offices.Where(o => o.OfficeId == office.Value)).FirstOrDefaultAsync();
    }

    public async Task<Page<NodeView>> Nodes(NodeFilter filter)
    {
        await using var db = store.Open();
        IQueryable<NodeRow> rows = db.Nodes;
        if (filter.Office is { } office)
            rows = rows.Where(n => n.OfficeId == office.Value);
        if (filter.Offices is { Count: > 0 } offices)
        {
            var ids = offices.Select(o => o.Value).ToList();
            rows = rows.Where(n => ids.Contains(n.OfficeId));
        }

        if (filter.Linked is { } linked)
            rows = rows.Where(n => n.Linked == linked);
        if (filter.Down is { } down)
            rows = rows.Where(n => (!n.Linked && !n.Periodic) == down);
        if (filter.Role is { } role)
        {
            var name = NodeRoles.Name(role);
            rows = rows.Where(n => n.DesiredRoles.Contains(name));
        }

        foreach (var (label, value) in filter.Labels ?? new Dictionary<string, string>())
            rows = rows.Where(n => db.Labels.Any(l => l.DeviceId == n.DeviceId && l.Label == label && l.Value == value));
        if (filter.Text is { Length: > 0 } text)
            rows = rows.Where(n => n.NodeId.Contains(text, AnyCase) || n.HostName.Contains(text, AnyCase));
        var page = await rows.OrderBy(n => n.NodeId).Paged(filter.Page).ToListAsync();
        return new Page<NodeView>([.. page.Select(View)], await rows.CountAsync());
    }

    /// <summary>The labels of devices; none for one that has none.</summary>
    public async Task<IReadOnlyDictionary<DeviceId, IReadOnlyDictionary<string, string>>> Labels(IEnumerable<DeviceId> devices)
    {
        await using var db = store.Open();
        var ids = devices.Select(d => d.Value).ToList();
        var labels = (await db.Labels.Where(l => ids.Contains(l.DeviceId)).ToListAsync()).ToLookup(l => l.DeviceId);
        return ids.Distinct().ToDictionary(id => new DeviceId(id), IReadOnlyDictionary<string, string> (id) => labels[id].ToDictionary(l => l.Label, l => l.Value));
    }

    public async Task<NodeView?> Node(NodeId node)
    {
        await using var db = store.Open();
        return await db.Nodes.FirstOrDefaultAsync(n => n.NodeId == node.Value) is { } row ? View(row) : null;
    }

    public async Task<Page<DeviceView>> Devices(DeviceFilter filter)
    {
        await using var db = store.Open();
        var rows = Filtered(db, filter);
        var total = await rows.CountAsync();
        // The ids first, from indexes alone where those do: whole rows, each with its report, are not carried through sorting and past what is skipped.
        var ids = await Sorted(db, rows, filter).Paged(filter.Page).ToListAsync();
        var page = (await WithPresence(db).Where(r => ids.Contains(r.Device.DeviceId)).ToListAsync()).ToDictionary(r => r.Device.DeviceId);
        var labels = (await db.Labels.Where(l => ids.Contains(l.DeviceId)).ToListAsync()).ToLookup(l => l.DeviceId);
        return new Page<DeviceView>([.. ids.Where(page.ContainsKey).Select(id => View(page[id], labels[id]))], total);
    }

    public async Task<DeviceDetail?> Device(DeviceId device)
    {
        await using var db = store.Open();
        if (await WithPresence(db).FirstOrDefaultAsync(r => r.Device.DeviceId == device.Value) is not { } found)
            return null;
        var labels = await db.Labels.Where(l => l.DeviceId == device.Value).ToListAsync();
        var row = found.Device;
        var delay = row.AppliedVersion >= row.DesiredVersion && row.DesiredVersion > 0 ? row.AppliedKnownAt - row.DesiredAt : null;
        return new DeviceDetail(View(found, labels), row.EnrolledAt, row.CertificateSerial, row.CertificateNotAfter, (uint)row.KeyGeneration, row.DesiredAt,
            row.AppliedAt, row.AppliedKnownAt, delay, row.CloneEvidence, row.Report is { } report ? DeviceReport.Parser.ParseFrom(report) : null, Wake(row), row.AlwaysConnected,
            await db.NetworkSeen.FirstOrDefaultAsync(s => s.DeviceId == device.Value) is { } seen ? new NetworkSeenView(seen.At, new NodeId(seen.SeenBy), (PollMethod)seen.SeenWith) : null,
            row.HasPlace, row.PlaceWhy);
    }

    /// <summary>Every office, in the order of their ids.</summary>
    public async Task<IReadOnlyList<OfficeId>> OfficeIds()
    {
        await using var db = store.Open();
        return [.. (await db.Offices.OrderBy(o => o.OfficeId).Select(o => o.OfficeId).ToListAsync()).Select(o => new OfficeId(o))];
    }

    /// <summary>The office that a device is of; null where there is no such device.</summary>
    public async Task<OfficeId?> HomeOf(DeviceId device)
    {
        await using var db = store.Open();
        return await db.Devices.Where(d => d.DeviceId == device.Value).Select(d => d.OfficeId).FirstOrDefaultAsync() is { } home ? new OfficeId(home) : null;
    }

    /// <summary>The history of a device, newest first.</summary>
    public async Task<Page<EventView>> DeviceEvents(DeviceId device, PageRequest page)
    {
        await using var db = store.Open();
        var rows = db.DeviceEvents.Where(e => e.DeviceId == device.Value);
        var events = await rows.OrderByDescending(e => e.Position).Paged(page).ToListAsync();
        return new Page<EventView>([.. events.Select(e => View(e))], await rows.CountAsync());
    }

    /// <summary>The history of a node, newest first.</summary>
    public async Task<Page<EventView>> NodeEvents(NodeId node, PageRequest page)
    {
        await using var db = store.Open();
        var rows = db.NodeEvents.Where(e => e.NodeId == node.Value);
        var events = await rows.OrderByDescending(e => e.Position).Paged(page).ToListAsync();
        return new Page<EventView>([.. events.Select(e => View(e))], await rows.CountAsync());
    }

    /// <summary>The history of an office itself (opened, tokens, refused enrolments), newest first.</summary>
    public async Task<Page<EventView>> OfficeEvents(OfficeId office, PageRequest page)
    {
        await using var db = store.Open();
        var rows = db.OfficeEvents.Where(e => e.OfficeId == office.Value);
        var events = await rows.OrderByDescending(e => e.Position).Paged(page).ToListAsync();
        return new Page<EventView>([.. events.Select(e => View(e))], await rows.CountAsync());
    }

    /// <summary>What went wrong, newest first.</summary>
    public async Task<Page<IncidentView>> Incidents(IncidentFilter filter)
    {
        await using var db = store.Open();
        var rows = Lasting(db).Where(i => !filter.Open || i.ClosedAt == null);
        if (filter.Office is { } office)
            rows = rows.Where(i => i.OfficeId == office.Value);
        var page = await rows.OrderByDescending(i => i.Position).ThenBy(i => i.Subject).Paged(filter.Page).ToListAsync();
        return new Page<IncidentView>(
            [.. page.Select(i => new IncidentView($"{i.Subject}-{i.Position}", new OfficeId(i.OfficeId), i.Subject, i.WholeOffice, i.OpenedAt, i.ClosedAt, i.Why, i.Devices))],
            await rows.CountAsync());
    }

    /// <summary>How far the read model has followed the journal.</summary>
    public async Task<long> Position() => HistoryPosition.EndOf(await store.Position());

    /// <summary>What happened anywhere after a position, oldest first.</summary>
    public async Task<IReadOnlyList<EventView>> EventsAfter(long position, int take)
    {
        await using var db = store.Open();
        var devices = await db.DeviceEvents.Where(e => e.Position > position).OrderBy(e => e.Position).Take(take).ToListAsync();
        var nodes = await db.NodeEvents.Where(e => e.Position > position).OrderBy(e => e.Position).Take(take).ToListAsync();
        var offices = await db.OfficeEvents.Where(e => e.Position > position).OrderBy(e => e.Position).Take(take).ToListAsync();
        return [.. devices.Select(View).Concat(nodes.Select(View)).Concat(offices.Select(View)).OrderBy(e => e.Position).Take(take)];
    }

    public async Task<Page<TokenView>> Tokens(TokenFilter filter)
    {
        await using var db = store.Open();
        var now = clock.GetUtcNow();
        IQueryable<TokenRow> rows = db.Tokens;
        if (filter.Office is { } office)
            rows = rows.Where(t => t.OfficeId == office.Value);
        if (filter.UsableOnly)
            rows = rows.Where(t => t.RevokedAt == null && t.Used < t.Uses && t.ExpiresAt > now);
        var page = await rows.OrderByDescending(t => t.CreatedAt).ThenBy(t => t.TokenId).Paged(filter.Page).ToListAsync();
        return new Page<TokenView>([.. page.Select(t => View(t, now))], await rows.CountAsync());
    }

    public async Task<TokenView?> Token(TokenId token)
    {
        await using var db = store.Open();
        return await db.Tokens.FirstOrDefaultAsync(t => t.TokenId == token.Value) is { } row ? View(row, clock.GetUtcNow()) : null;
    }

    public async Task<Page<PolicyView>> Policies(PageRequest page)
    {
        await using var db = store.Open();
        var rows = await db.Policies.OrderBy(p => p.Name).Paged(page).ToListAsync();
        return new Page<PolicyView>([.. rows.Select(View)], await db.Policies.CountAsync());
    }

    public async Task<PolicyView?> Policy(PolicyName name)
    {
        await using var db = store.Open();
        return await db.Policies.FirstOrDefaultAsync(p => p.Name == name.Value) is { } row ? View(row) : null;
    }

    // One that began a moment ago may be over in another.
    private IQueryable<IncidentRow> Lasting(ReadModelConnection db)
    {
        var before = clock.GetUtcNow() - ReadModel.Incidents.Moment;
        return db.Incidents.Where(i => i.ClosedAt != null || i.OpenedAt <= before);
    }

    /// <summary>All placement rules in their order; a book is small.</summary>
    public async Task<IReadOnlyList<PlacementRule>> Rules()
    {
        await using var db = store.Open();
        return [.. (await db.Rules.OrderBy(r => r.Place).ToListAsync()).Select(r => MessagePackSerializer.Deserialize<PlacementRule>(r.Rule, Codec.Options))];
    }

    public async Task<FleetStatus> Status()
    {
        await using var db = store.Open();
        return new FleetStatus(
            await db.Offices.CountAsync(),
            await db.Nodes.CountAsync(),
            await db.Nodes.CountAsync(n => n.Linked),
            await db.Devices.CountAsync(),
            await db.Devices.CountAsync(d => d.AppliedVersion >= d.DesiredVersion),
            await db.Devices.CountAsync(d => d.CloneSeenAt != null),
            await db.Policies.CountAsync(),
            await Lasting(db).CountAsync(i => i.ClosedAt == null),
            await db.Projections.Where(p => p.Name == ReadModelConnection.ProjectionName).Select(p => p.Position).FirstOrDefaultAsync(),
            await db.Unreadable.OrderBy(r => r.PersistenceId).ThenBy(r => r.SequenceNr).Take(PageRequest.MaxTake).ToListAsync());
    }

    // In the order of the offices.
    private static IQueryable<OfficeView> Counted(ReadModelConnection db, IQueryable<OfficeRow> offices) =>
        offices.Select(o => new OfficeView(new OfficeId(o.OfficeId), o.Title, o.OpenedAt,
            db.Nodes.Count(n => n.OfficeId == o.OfficeId),
            db.Nodes.Count(n => n.OfficeId == o.OfficeId && n.Linked),
            db.Devices.Count(d => d.OfficeId == o.OfficeId)));

    private static IQueryable<SeenDevice> WithPresence(ReadModelConnection db) =>
        from device in db.Devices
        from presence in db.Presence.LeftJoin(p => p.DeviceId == device.DeviceId)
        select new SeenDevice
        {
            Device = device, LastSync = presence.LastSync, Through = presence.Through, State = (int?)presence.State, Since = (DateTimeOffset?)presence.Since, Why = presence.Why,
        };

    private static IQueryable<DeviceRow> Filtered(ReadModelConnection db, DeviceFilter filter)
    {
        IQueryable<DeviceRow> rows = db.Devices;
        // Presence is looked up where it is asked for.
        if (filter.State is { } state)
            rows = WithPresence(db).Where(r => (r.State ?? (int)PresenceState.Unknown) == (int)state).Select(r => r.Device);
        if (filter.SeenBefore is { } before)
            rows = from device in rows from presence in db.Presence.LeftJoin(p => p.DeviceId == device.DeviceId) where (DateTimeOffset?)presence.LastSync == null || presence.LastSync < before select device;
        if (filter.Office is { } office)
            rows = rows.Where(d => d.OfficeId == office.Value);
        if (filter.Text is { Length: > 0 } text)
            rows = rows.Where(d => d.DeviceId.Contains(text, AnyCase) || d.Name.Contains(text, AnyCase) || d.HostName.Contains(text, AnyCase));
        if (filter.Converged is { } converged)
            rows = rows.Where(d => d.AppliedVersion >= d.DesiredVersion == converged);
        if (filter.Cloned is { } cloned)
            rows = rows.Where(d => d.CloneSeenAt != null == cloned);
        if (filter.Package is { } package)
        {
            var line = filter.PackageVersion is { } version ? $"\n{package} {version}\n" : $"\n{package} ";
            rows = rows.Where(d => d.Packages.Contains(line));
        }

        foreach (var (label, value) in filter.Labels ?? new Dictionary<string, string>())
            rows = rows.Where(d => db.Labels.Any(l => l.DeviceId == d.DeviceId && l.Label == label && l.Value == value));
        return rows;
    }

    /// <summary>The ids, in order.</summary>
    private static IQueryable<string> Sorted(ReadModelConnection db, IQueryable<DeviceRow> rows, DeviceFilter filter)
    {
        // The id makes the order total, so that pages neither repeat nor skip a device.
        IQueryable<string> By<T>(System.Linq.Expressions.Expression<Func<DeviceRow, T>> key) => rows.By(key, filter.Descending).ThenBy(d => d.DeviceId).Select(d => d.DeviceId);
        return filter.Sort switch
        {
            DeviceSort.Office => rows.By(d => d.OfficeId, filter.Descending).ThenBy(d => d.Name).ThenBy(d => d.DeviceId).Select(d => d.DeviceId),
            DeviceSort.LastSync => (from device in rows from presence in db.Presence.LeftJoin(p => p.DeviceId == device.DeviceId) select new { device.DeviceId, presence.LastSync })
                .ByIfKnown(r => r.LastSync, filter.Descending).ThenBy(r => r.DeviceId).Select(r => r.DeviceId),
            DeviceSort.ReportedAt => rows.ByIfKnown(d => d.ReportedAt, filter.Descending).ThenBy(d => d.DeviceId).Select(d => d.DeviceId),
            DeviceSort.EnrolledAt => By(d => d.EnrolledAt),
            _ => By(d => d.Name),
        };
    }

    private static DeviceView View(SeenDevice found, IEnumerable<DeviceLabelRow> labels) => new(
        new DeviceId(found.Device.DeviceId), new OfficeId(found.Device.OfficeId), found.Device.Name, found.Device.HostName, found.Device.Os,
        found.Device.AgentVersion, (ulong)found.Device.DesiredVersion, (ulong)found.Device.AppliedVersion, (ulong)found.Device.ReportedVersion,
        found.Device.ReportedAt, found.LastSync, found.Through is { } through ? new NodeId(through) : null,
        labels.ToDictionary(l => l.Label, l => l.Value), found.Device.CloneSeenAt,
        found.State is { } state ? new PresenceView((PresenceState)state, found.Since, found.Why ?? "") : PresenceView.None);

    private static WakeView? Wake(DeviceRow row) => row.WakeRequestedAt is not { } at ? null : new WakeView(
        (ulong)row.WakeCounter, at, row.WakeEndedAt, (WakeChannel?)row.WakeChannel, row.WakeTookMilliseconds is { } took ? TimeSpan.FromMilliseconds(took) : null, row.WakeDetail);

    private static NodeView View(NodeRow row) => new(
        new NodeId(row.NodeId), new OfficeId(row.OfficeId), new DeviceId(row.DeviceId), Roles(row.DesiredRoles), (ulong)row.DesiredVersion, row.DesiredAt,
        Roles(row.ReportedRoles), (ulong)row.AppliedVersion, row.ReportedAt, Parts(row.GatewayAddresses, ','), Parts(row.PushAddresses, ','), Parts(row.LinkAddresses, ','), row.LinkedBy,
        row.Through is { } through ? new NodeId(through) : null, row.DmzAddress, row.Version, row.HostName, row.StartedAt,
        Parts(row.Problems, '\n'), row.Linked, row.LinkSince, row.LinkReason, row.EnrolledAt, row.CertificateSerial, row.CertificateNotAfter,
        new LinkModeView(row.Periodic, row.AlwaysLinked, TimeSpan.FromMilliseconds(row.DialMilliseconds), row.PeriodicWhy),
        Parts(row.ContentAddresses, ','), row.Mirror is { } mirror ? MessagePackSerializer.Deserialize<MirrorState>(mirror, Codec.Options) : null);

    private static EventView View(DeviceEventRow e) =>
        new(e.Position, new OfficeId(e.OfficeId), e.DeviceId, (ulong)e.Number, e.Kind, e.Text, e.DeviceTime, e.At);

    private static EventView View(NodeEventRow e) =>
        new(e.Position, new OfficeId(e.OfficeId), e.NodeId, (ulong)e.Number, e.Kind, e.Text, e.NodeTime, e.At);

    private static EventView View(OfficeEventRow e) => new(e.Position, new OfficeId(e.OfficeId), e.OfficeId, 0, e.Kind, e.Text, null, e.At);

    private static TokenView View(TokenRow t, DateTimeOffset now) => new(
        new TokenId(t.TokenId), new OfficeId(t.OfficeId), Enum.Parse<JoinKind>(t.Kind), t.Uses, t.Used, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.CreatedBy,
        t.RevokedAt is not null ? TokenState.Revoked : t.ExpiresAt <= now ? TokenState.Expired : t.Used >= t.Uses ? TokenState.Spent : TokenState.Usable);

    private static PolicyView View(PolicyRow p) =>
        new(MessagePackSerializer.Deserialize<PolicyDocument>(p.Document, Codec.Options), (ulong)p.Version, p.AppliedAt, p.AppliedBy);

    private static IReadOnlyList<NodeRole> Roles(string names) => [.. Parts(names, ',').Select(NodeRoles.Parse).OfType<NodeRole>()];

    private static IReadOnlyList<string> Parts(string text, char between) => text.Length == 0 ? [] : text.Split(between);

    private sealed class SeenDevice
    {
        public required DeviceRow Device { get; init; }

        public DateTimeOffset? LastSync { get; init; }

        public string? Through { get; init; }

        public int? State { get; init; }

        public DateTimeOffset? Since { get; init; }

        public string? Why { get; init; }
    }
}

internal static class Paging
{
    /// <summary>How a searched text is met, whatever the database's own way.</summary>
    public const StringComparison AnyCase = StringComparison.OrdinalIgnoreCase;

    /// <summary>By what every row has.</summary>
    public static IOrderedQueryable<T> By<T, TKey>(this IQueryable<T> rows, System.Linq.Expressions.Expression<Func<T, TKey>> key, bool descending) =>
        descending ? rows.OrderByDescending(key) : rows.OrderBy(key);

    /// <summary>What is not known comes before all that is, as the smallest; databases differ in that. PostgreSQL takes no index for it.</summary>
    public static IOrderedQueryable<T> ByIfKnown<T, TKey>(this IQueryable<T> rows, System.Linq.Expressions.Expression<Func<T, TKey>> key, bool descending) =>
        descending ? rows.OrderByDescending(key, Sql.NullsPosition.Last) : rows.OrderBy(key, Sql.NullsPosition.First);

    public static IQueryable<T> Paged<T>(this IQueryable<T> rows, PageRequest page) => rows.Skip(page.Skip).Take(page.Take);
}
