using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using MessagePack;
using static Fleet.Headquarters.ReadModel.Paging;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Shows what the read model knows of offices' networks.</summary>
public sealed class NetworkQueries(ReadModelStore store)
{
    public async Task<Page<DiscoveredView>> Discovered(DiscoveredFilter filter)
    {
        await using var db = store.Open();
        IQueryable<DiscoveredRow> rows = db.Discovered;
        if (filter.Office is { } office)
            rows = rows.Where(d => d.OfficeId == office.Value);
        if (filter.Ignored is { } ignored)
            rows = rows.Where(d => d.Ignored == ignored);
        if (filter.SeenBefore is { } before)
            rows = rows.Where(d => d.LastSeen < before);
        if (filter.Text is { Length: > 0 } text)
            rows = rows.Where(d => d.DiscoveredId.Contains(text, AnyCase) || d.Name.Contains(text, AnyCase) || d.Mac.Contains(text, AnyCase) || d.Vendor.Contains(text, AnyCase)
                || d.Addresses.Contains(text, AnyCase) || d.Services.Contains(text, AnyCase));
        var page = await Sorted(rows, filter).Paged(filter.Page).ToListAsync();
        return new Page<DiscoveredView>([.. page.Select(View)], await rows.CountAsync());
    }

    public async Task<DiscoveredView?> Discovered(DiscoveredId id)
    {
        await using var db = store.Open();
        return await db.Discovered.FirstOrDefaultAsync(d => d.DiscoveredId == id.Value) is { } row ? View(row) : null;
    }

    /// <summary>Ids and names that begin alike, to say what a mistyped one may have meant.</summary>
    public async Task<IReadOnlyList<string>> DiscoveredLike(string text)
    {
        await using var db = store.Open();
        var head = text[..Math.Min(3, text.Length)];
        return await db.Discovered.Where(d => d.DiscoveredId.StartsWith(head, AnyCase) || d.Name.StartsWith(head, AnyCase)).OrderBy(d => d.DiscoveredId).Select(d => d.DiscoveredId).Take(PageRequest.MaxTake).ToListAsync();
    }

    /// <summary>Polls, those under way first, then the newest.</summary>
    public async Task<Page<PollView>> Polls(PollFilter filter)
    {
        await using var db = store.Open();
        IQueryable<PollRow> rows = db.Polls;
        if (filter.Office is { } office)
            rows = rows.Where(p => p.OfficeId == office.Value);
        if (filter.Method is { } method)
            rows = rows.Where(p => p.Method == (int)method);
        if (filter.Running is { } running)
            rows = rows.Where(p => p.EndedAt == null == running);
        var page = await rows.OrderBy(p => p.EndedAt != null).ThenByDescending(p => p.BegunAt).ThenBy(p => p.PollId).Paged(filter.Page).ToListAsync();
        return new Page<PollView>([.. page.Select(View)], await rows.CountAsync());
    }

    public async Task<PollView?> Poll(PollId id)
    {
        await using var db = store.Open();
        return await db.Polls.FirstOrDefaultAsync(p => p.PollId == id.Value) is { } row ? View(row) : null;
    }

    /// <summary>The polls under way, to say what a mistyped id may have meant.</summary>
    public async Task<IReadOnlyList<string>> RunningPolls()
    {
        await using var db = store.Open();
        return await db.Polls.Where(p => p.EndedAt == null).Select(p => p.PollId).Take(PageRequest.MaxTake).ToListAsync();
    }

    public async Task<InstallView?> Install(InstallId id)
    {
        await using var db = store.Open();
        return await db.Installs.FirstOrDefaultAsync(i => i.InstallId == id.Value) is { } i
            ? new InstallView(new InstallId(i.InstallId), new OfficeId(i.OfficeId), new DiscoveredId(i.DiscoveredId), i.Name, new NodeId(i.NodeId), i.Address, i.Port, i.BegunAt,
                (InstallStep?)i.Step, i.DeviceId is { } device ? new DeviceId(device) : null, i.EndedAt, (InstallOutcome?)i.Outcome, i.Detail, i.HostKey)
            : null;
    }

    public async Task<PollingView> Polling(OfficeId office)
    {
        await using var db = store.Open();
        return await db.Pollings.FirstOrDefaultAsync(p => p.OfficeId == office.Value) is { } row
            ? new PollingView(office, row.Poller is { } poller ? new NodeId(poller) : null, row.Plan is { } plan ? MessagePackSerializer.Deserialize<PollPlan>(plan, Codec.Options) : null)
            : new PollingView(office, null, null);
    }

    private static IQueryable<DiscoveredRow> Sorted(IQueryable<DiscoveredRow> rows, DiscoveredFilter filter)
    {
        IOrderedQueryable<DiscoveredRow> By<T>(System.Linq.Expressions.Expression<Func<DiscoveredRow, T>> key) => rows.By(key, filter.Descending);
        var sorted = filter.Sort switch
        {
            DiscoveredSort.Office => By(d => d.OfficeId).ThenBy(d => d.Name),
            DiscoveredSort.Vendor => By(d => d.Vendor).ThenBy(d => d.Name),
            DiscoveredSort.FirstSeen => By(d => d.FirstSeen),
            DiscoveredSort.LastSeen => By(d => d.LastSeen),
            _ => By(d => d.Name),
        };
        return sorted.ThenBy(d => d.DiscoveredId);
    }

    private static DiscoveredView View(DiscoveredRow d) => new(
        new OfficeId(d.OfficeId), d.Name, d.Vendor, d.LastSeen, new NodeId(d.SeenBy), (PollMethod)d.SeenWith, d.Ignored,
        MessagePackSerializer.Deserialize<DiscoveredDevice>(d.Device, Codec.Options));

    private static PollView View(PollRow p) => new(
        new PollId(p.PollId), new OfficeId(p.OfficeId), new NodeId(p.NodeId), (PollMethod)p.Method, p.Full, p.Ranges, p.AskedBy, p.BegunAt, p.EndedAt, (PollOutcome?)p.Outcome, p.Why,
        p.Done, p.Total, p.Found, p.Packets, p.CannotSee.Length == 0 ? [] : p.CannotSee.Split('\n'));
}
