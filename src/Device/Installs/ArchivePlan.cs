namespace Fleet.Device.Installs;

/// <summary>Which step brings a package from what is to what is wanted. Pure; after each step it is asked anew, so a crash anywhere costs one step.</summary>
public static class ArchivePlan
{
    /// <summary>Checks that may be begun of one version; each that did not end was a crash.</summary>
    public const int MostChecks = 3;

    /// <summary>The state that the next step begins with, to be made durable before it; null: nothing is to be done.</summary>
    /// <param name="mostChecks">Null: whoever checks counts by himself (<see cref="Counted"/>).</param>
    public static ArchiveState? Next(ArchiveState now, string wanted, int? mostChecks = MostChecks) => now.Pending switch
    {
        // Another version is wanted meanwhile: what was switched to must be judged or taken back first.
        { Step: ArchiveStep.Unpack } p when p.Version != wanted => now with { Pending = Begin(now, wanted) ?? p with { Step = ArchiveStep.Clean } },
        { Step: ArchiveStep.Check } p when p.Checks >= mostChecks => Failed(now, $"its check did not end {mostChecks} times"),
        { Step: ArchiveStep.Check } p when mostChecks is not null => now with { Pending = p with { Checks = p.Checks + 1 } },
        not null => now,
        null => Begin(now, wanted) is { } begun ? now with { Pending = begun, Refused = null } : null,
    };

    /// <summary>The state before a check that is made elsewhere, or after too many of them; the same where none is due.</summary>
    public static ArchiveState Counted(ArchiveState now, int mostChecks, string otherwise) => now.Pending switch
    {
        { Step: ArchiveStep.Check } p when p.Checks >= mostChecks => Failed(now, otherwise),
        { Step: ArchiveStep.Check } p => now with { Pending = p with { Checks = p.Checks + 1 } },
        _ => now,
    };

    /// <summary>The state after a step that went well.</summary>
    public static ArchiveState After(ArchiveState now) => now.Pending switch
    {
        { Step: ArchiveStep.Unpack } p => now with { Pending = p with { Step = ArchiveStep.Switch } },
        { Step: ArchiveStep.Switch } p => now with { Pending = p with { Step = ArchiveStep.Check } },
        { Step: ArchiveStep.Check } p => now with { Current = p.Version, Previous = now.Current, Pending = p with { Step = ArchiveStep.Clean }, Refused = null },
        { Step: ArchiveStep.Return } p => now with { Pending = p with { Step = ArchiveStep.Clean } },
        { Step: ArchiveStep.Clean } => now with { Pending = null },
        _ => now,
    };

    /// <summary>The state after a step that failed for good: before the switch nothing has changed for anybody, behind it the old version comes back.</summary>
    public static ArchiveState Failed(ArchiveState now, string why) => now.Pending switch
    {
        { Step: ArchiveStep.Unpack or ArchiveStep.Switch or ArchiveStep.Check } p => now with { Pending = p with { Step = ArchiveStep.Return }, Refused = new RefusedArchive(p.Version, why) },
        _ => now,
    };

    private static PendingArchive? Begin(ArchiveState now, string wanted) =>
        wanted == now.Current || wanted == now.Refused?.Version ? null : new PendingArchive(wanted, ArchiveStep.Unpack, 0);
}
