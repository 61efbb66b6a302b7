using Fleet.Contracts;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Shows what the read model knows of rollouts.</summary>
public sealed class RolloutQueries(ReadModelStore store)
{
    /// <summary>Rollouts, those that go on first, then the newest.</summary>
    /// <param name="open">Only those that go on, or that are over.</param>
    public async Task<Page<RolloutView>> Rollouts(PageRequest page, bool? open = null, string? package = null)
    {
        await using var db = store.Open();
        IQueryable<RolloutRow> rows = db.Rollouts;
        if (open is { } goes)
            rows = rows.Where(r => r.Open == goes);
        if (package is not null)
            rows = rows.Where(r => r.Package == package);
        var found = await rows.OrderByDescending(r => r.Open).ThenByDescending(r => r.CreatedAt).ThenBy(r => r.Name).Paged(page).ToListAsync();
        var names = found.Select(r => r.Name).ToList();
        var standings = (await db.RolloutStandings.Where(s => names.Contains(s.Name)).ToListAsync()).ToDictionary(s => s.Name);
        return new Page<RolloutView>([.. found.Select(r => View(r, standings.GetValueOrDefault(r.Name)))], await rows.CountAsync());
    }

    public async Task<RolloutView?> Rollout(RolloutName name)
    {
        await using var db = store.Open();
        return await db.Rollouts.FirstOrDefaultAsync(r => r.Name == name.Value) is { } row
            ? View(row, await db.RolloutStandings.FirstOrDefaultAsync(s => s.Name == name.Value))
            : null;
    }

    /// <summary>All of them, oldest first; they are few.</summary>
    public async Task<IReadOnlyList<RolloutSnapshot>> All()
    {
        await using var db = store.Open();
        return [.. (await db.Rollouts.OrderBy(r => r.CreatedAt).ThenBy(r => r.Name).ToListAsync()).Select(RolloutRows.Read)];
    }

    /// <summary>What happened to a rollout, newest first.</summary>
    public async Task<Page<RolloutEventView>> Events(RolloutName name, PageRequest page)
    {
        await using var db = store.Open();
        var rows = db.RolloutEvents.Where(e => e.Name == name.Value);
        var events = await rows.OrderByDescending(e => e.Position).Paged(page).ToListAsync();
        return new Page<RolloutEventView>([.. events.Select(e => new RolloutEventView(e.Kind, e.Text, e.At))], await rows.CountAsync());
    }

    /// <summary>What went through distribution points, by node and package.</summary>
    public async Task<Page<ContentCountView>> Counters(PageRequest page, OfficeId? office = null, string? package = null)
    {
        await using var db = store.Open();
        IQueryable<ContentCountRow> rows = db.ContentCounts;
        if (office is { } one)
            rows = rows.Where(c => c.OfficeId == one.Value);
        if (package is not null)
            rows = rows.Where(c => c.Package == package);
        var found = await rows.OrderBy(c => c.NodeId).ThenBy(c => c.Package).ThenBy(c => c.PackageVersion).Paged(page).ToListAsync();
        return new Page<ContentCountView>([.. found.Select(c => new ContentCountView(new NodeId(c.NodeId), ContentRows.Read(c), c.Since, c.At))], await rows.CountAsync());
    }

    /// <summary>How full each distribution point is.</summary>
    public async Task<IReadOnlyDictionary<NodeId, (long Used, long Quota)>> Stores()
    {
        await using var db = store.Open();
        return (await db.ContentStores.ToListAsync()).ToDictionary(s => new NodeId(s.NodeId), s => (s.Used, s.Quota));
    }

    /// <summary>All names, to say what a mistyped one may have meant.</summary>
    public async Task<IReadOnlyList<string>> Names()
    {
        await using var db = store.Open();
        return await db.Rollouts.Select(r => r.Name).ToListAsync();
    }

    private static RolloutView View(RolloutRow row, RolloutStandingRow? standing)
    {
        var rollout = RolloutRows.Read(row);
        var counts = rollout.State == RolloutState.Halted ? rollout.Counts
            : standing is null ? [] : MessagePackSerializer.Deserialize<IReadOnlyList<RingCount>>(standing.Rings, Codec.Options);
        return new RolloutView(rollout, counts, row.Open ? standing?.WaitsFor ?? "" : "");
    }
}

/// <param name="Counts">How its rings stand, as offices last counted.</param>
/// <param name="WaitsFor">Empty: it is over, or nobody has said yet.</param>
public sealed record RolloutView(RolloutSnapshot Rollout, IReadOnlyList<RingCount> Counts, string WaitsFor)
{
    public RingCount Of(string ring) => Counts.FirstOrDefault(c => c.Ring == ring) ?? new RingCount(Rollout.Plan.Name, ring, 0, 0, 0, 0);
}

/// <summary>One entry of a rollout's history.</summary>
public sealed record RolloutEventView(string Kind, string Text, DateTimeOffset At);

/// <summary>What went through a distribution point of one version of a package.</summary>
/// <param name="Since">When it began to count.</param>
/// <param name="At">When it last said so.</param>
public sealed record ContentCountView(NodeId NodeId, UpdateCount Count, DateTimeOffset Since, DateTimeOffset At);
