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
/// <param name="SinceLooked">For how long nobody has looked at the old objects.</param>
/// <param name="Old">Their size.</param>
internal readonly record struct RestingHeap(bool Stormed, TimeSpan Quiet, TimeSpan SinceLooked, OldObjects Old)
{
    /// <summary>Bytes a second; a quiet headquarters with 100,000 devices allocates 6 to 12 MB a second.</summary>
    public const long StormPerSecond = 50_000_000;

    /// <summary>
    /// More is not put in order in one pause, which takes about a second for each 1,000 MB: within the lease of a link (9 s) no ping would be answered, and all offices would dial anew.
    /// </summary>
    public const long MostAtOnce = 2_000_000_000;

    /// <summary>Holes between what lives may take this share of the old objects' room; sweeping reuses holes, and makes more than it fills.</summary>
    public const double MayBeHoles = 0.1;

    /// <summary>
    /// So long dead old objects may pile up, at least. Not by how much they have grown: each sweep would come later than the one before, and the heap be larger each time.
    /// </summary>
    public static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(4);

    /// <summary>And so long for each 100 MB of old objects: sweeping those takes about a fifth of a second of one processor, beside the work.</summary>
    public static readonly TimeSpan SweepEveryHundred = TimeSpan.FromMinutes(1);

    /// <summary>A pause of the collection, which takes up to a second, must not meet a storm that only draws breath, and twins of devices that reported rest by then.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(60);

    public HeapCare Due =>
        Quiet < QuietFor ? HeapCare.None
        : Stormed ? AtOnce(true)
        : SinceLooked > SweepEvery && SinceLooked > SweepEveryHundred * (Old.Bytes / 100e6) ? AtOnce(Old.Holes > Old.Bytes * MayBeHoles)
        : HeapCare.None;

    /// <param name="allocated">Bytes allocated in the time that passed.</param>
    public RestingHeap Next(long allocated, TimeSpan passed, OldObjects old)
    {
        var next = this with { Old = old, SinceLooked = SinceLooked + passed };
        return allocated > StormPerSecond * passed.TotalSeconds ? next with { Stormed = true, Quiet = TimeSpan.Zero } : next with { Quiet = Quiet + passed };
    }

    /// <summary>What was due is done, or under way: it is looked at again after as long a quiet.</summary>
    public RestingHeap Cared() => this with { Stormed = false, Quiet = TimeSpan.Zero, SinceLooked = TimeSpan.Zero };

    private HeapCare AtOnce(bool wanted) => wanted && Old.Bytes <= MostAtOnce ? HeapCare.Compact : HeapCare.Sweep;
}

/// <param name="Bytes">That they take, with the dead ones among them and the holes between them.</param>
/// <param name="Holes">Bytes of these that are known to be free.</param>
internal readonly record struct OldObjects(long Bytes, long Holes);
