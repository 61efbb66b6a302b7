using Fleet.Headquarters.Rollouts;
using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Mapping;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

[Table("rollouts")]
internal sealed class RolloutRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    [Column("package"), NotNull] public string Package { get; set; } = "";
    [Column("created_at")] public DateTimeOffset CreatedAt { get; set; }
    /// <summary>Whether it goes on.</summary>
    [Column("open")] public bool Open { get; set; }
    /// <summary>A RolloutSnapshot as the journal's MessagePack.</summary>
    [Column("rollout"), NotNull] public byte[] Rollout { get; set; } = [];
}

/// <summary>How rollouts stand: written as offices count, not from the journal.</summary>
[Table("rollout_standings")]
internal sealed class RolloutStandingRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    [Column("waits_for"), NotNull] public string WaitsFor { get; set; } = "";
    /// <summary>RingCounts as MessagePack.</summary>
    [Column("rings"), NotNull] public byte[] Rings { get; set; } = [];
}

[Table("rollout_events")]
internal sealed class RolloutEventRow
{
    /// <summary>The journal's ordering.</summary>
    [Column("position"), PrimaryKey] public long Position { get; set; }
    [Column("name"), NotNull] public string Name { get; set; } = "";
    [Column("kind"), NotNull] public string Kind { get; set; } = "";
    [Column("text"), NotNull] public string Text { get; set; } = "";
    [Column("at")] public DateTimeOffset At { get; set; }
}

/// <summary>Writes what happens to rollouts into the tables.</summary>
internal sealed class RolloutRows(ReadModelConnection db)
{
    public void Apply(long position, IRolloutEvent happened)
    {
        var name = happened.Name.Value;
        if (happened is RolloutForgotten)
        {
            db.Rollouts.Delete(r => r.Name == name);
            db.RolloutStandings.Delete(r => r.Name == name);
            db.RolloutEvents.Delete(r => r.Name == name);
            return;
        }

        var rollout = happened is RolloutCreated created ? Rollout.From(created)
            : db.Rollouts.FirstOrDefault(r => r.Name == name) is { } known ? new Rollout(Read(known)).Apply(happened) : null;
        // Its beginning is no longer in the journal: the snapshot that follows has it.
        if (rollout is null)
            return;
        Put(rollout);
        var (kind, text) = Told(rollout, happened);
        db.InsertOrReplace(new RolloutEventRow { Position = position, Name = name, Kind = kind, Text = text, At = happened.At });
    }

    /// <summary>Rollouts whose older events are no longer in the journal.</summary>
    public void Begin(IEnumerable<RolloutSnapshot> rollouts)
    {
        foreach (var rollout in rollouts)
            Put(new Rollout(rollout));
    }

    public static RolloutSnapshot Read(RolloutRow row) => MessagePackSerializer.Deserialize<RolloutSnapshot>(row.Rollout, Codec.Options);

    private void Put(Rollout rollout) => db.InsertOrReplace(new RolloutRow
    {
        Name = rollout.Name.Value, Package = rollout.Plan.Package, CreatedAt = rollout.Known.CreatedAt, Open = !rollout.IsOver,
        Rollout = MessagePackSerializer.Serialize(rollout.Known, Codec.Options),
    });

    private static (string Kind, string Text) Told(Rollout rollout, IRolloutEvent happened) => happened switch
    {
        RolloutCreated e => ("created", $"{e.Plan.Package} {e.Plan.PackageVersion} by {e.By}; ring {e.Plan.Rings[0].Name} begins"),
        RolloutRingSucceeded e => ("ring-succeeded", e.SoaksUntil > e.At ? $"{e.Ring}; it soaks until {e.SoaksUntil:u}" : e.Ring),
        RolloutAdvanced => ("advanced", $"to ring {rollout.Ring.Name}"),
        RolloutPaused e => ("paused", $"by {e.By}"),
        RolloutResumed e => ("resumed", $"by {e.By}"),
        RolloutHalted e => ("halted", e.RolledBack ? $"{e.Why}; devices that have it get the version before" : e.Why),
        RolloutDone => ("done", ""),
        _ => throw new NotSupportedException($"{happened.GetType().Name} has no place in the read model"),
    };
}
