using Fleet.Contracts;
using Fleet.Messages.Company;
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
