using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Cluster;

/// <summary>Block <c>fleet.journal</c>.</summary>
/// <param name="RefreshInterval">How often new events are looked for.</param>
/// <param name="Parallelism">Writes that run at once; null: as the store likes it.</param>
/// <param name="MaxConcurrentRecoveries">Twins that recover at once; null: as suits the storage.</param>
public sealed record JournalOptions(TimeSpan RefreshInterval, int? Parallelism, int? MaxConcurrentRecoveries)
{
    public static JournalOptions From(Config fleet, Problems problems) => new(
        RefreshInterval: problems.Positive(fleet, "journal.refresh-interval"),
        Parallelism: Some(problems.Number(fleet, "journal.parallelism", 0, 64)),
        MaxConcurrentRecoveries: Some(problems.Number(fleet, "journal.max-concurrent-recoveries", 0, 10_000)));

    private static int? Some(int set) => set > 0 ? set : null;
}
