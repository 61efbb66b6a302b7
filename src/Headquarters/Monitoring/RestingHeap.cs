namespace Fleet.Headquarters.Monitoring;

/// <summary>What is to be done about headquarters' memory.</summary>
internal enum HeapCare
{
    None,

    /// <summary>Dead old objects are to make room for those that come, beside the work.</summary>
    Sweep,

    /// <summary>All of it is to be put in order, while the work stands still.</summary>
    Compact,
}

/// <summary>
/// Decides when headquarters' memory is put in order. A quiet headquarters makes so little garbage that the runtime does not look at its old objects for hours. A storm (all offices
/// come back, a whole company enrols) leaves a heap several times as large as what lives in it: 1,475 MB stayed resident with 100,000 idle devices, 994 MB once collected
/// (bench/results/2026-11-27.md). And in quiet times what died old piles up: 100 MB in half an hour (bench/results/2026-11-28.md).
/// </summary>
/// <param name="Stormed">Much was allocated since the last time.</param>
/// <param name="Quiet">For how long little has been.</param>
/// <param name="Old">Bytes that old objects take, dead ones among them.</param>
/// <param name="AtLast">The same right after they were last looked at.</param>
internal readonly record struct RestingHeap(bool Stormed, TimeSpan Quiet, long Old, long AtLast)
{
    /// <summary>Bytes a second; a quiet headquarters with 100,000 devices allocates 12 MB a second.</summary>
    public const long StormPerSecond = 50_000_000;

    /// <summary>Old objects may grow by this share before the dead ones among them are looked for, which takes about a second of one processor for each 500 MB.</summary>
    public const double MayGrow = 0.05;

    /// <summary>
    /// More is not put in order in one pause, which takes about a second for each 1,000 MB: within the lease of a link (9 s) no ping would be answered, and all offices would dial anew.
    /// </summary>
    public const long MostAtOnce = 2_000_000_000;

    /// <summary>A pause of the collection, which takes up to a second, must not meet a storm that only draws breath, and twins of devices that reported rest by then.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(60);

    public HeapCare Due =>
        Quiet < QuietFor ? HeapCare.None
        : Stormed ? Old > MostAtOnce ? HeapCare.Sweep : HeapCare.Compact
        : Old - AtLast > AtLast * MayGrow ? HeapCare.Sweep
        : HeapCare.None;

    /// <param name="allocated">Bytes allocated in the time that passed.</param>
    /// <param name="old">Bytes that old objects take now.</param>
    /// <param name="atLast">The same right after they were last looked at, by whomever.</param>
    public RestingHeap Next(long allocated, TimeSpan passed, long old, long atLast)
    {
        var next = this with { Old = old, AtLast = atLast };
        return allocated > StormPerSecond * passed.TotalSeconds ? next with { Stormed = true, Quiet = TimeSpan.Zero } : next with { Quiet = Quiet + passed };
    }

    /// <summary>What was due is done, or under way: it is looked at again after as long a quiet.</summary>
    public RestingHeap Cared() => this with { Stormed = false, Quiet = TimeSpan.Zero };
}
