namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// Decides when headquarters' memory is put in order. A storm (all offices come back, a whole company enrols) leaves a heap several times as large as what lives in it, and
/// a quiet headquarters makes so little garbage that the runtime does not look at its old objects for hours: 1,475 MB stayed resident with 100,000 idle devices, 994 MB
/// once collected (bench/results/2026-11-27.md).
/// </summary>
/// <param name="Stormed">Much was allocated since the last time.</param>
/// <param name="Quiet">For how long little has been.</param>
internal readonly record struct RestingHeap(bool Stormed, TimeSpan Quiet)
{
    /// <summary>Bytes a second; a quiet headquarters with 100,000 devices allocates 12 MB a second.</summary>
    public const long StormPerSecond = 50_000_000;

    /// <summary>A pause of the collection, which takes up to a second, must not meet a storm that only draws breath, and twins of devices that reported rest by then.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(60);

    public bool IsDue => Stormed && Quiet >= QuietFor;

    /// <param name="allocated">Bytes allocated in the time that passed.</param>
    public RestingHeap Next(long allocated, TimeSpan passed) =>
        allocated > StormPerSecond * passed.TotalSeconds ? new(true, TimeSpan.Zero) : this with { Quiet = Quiet + passed };

    public RestingHeap Collected() => new(false, TimeSpan.Zero);
}
