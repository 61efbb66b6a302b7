using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Block <c>fleet.read-model</c>.</summary>
/// <param name="BatchSize">Events in one transaction at most.</param>
/// <param name="BatchWithin">A transaction waits this long for more events.</param>
/// <param name="RetryAfter">Wait before following the journal again after a fault.</param>
public sealed record ReadModelOptions(int BatchSize, TimeSpan BatchWithin, TimeSpan RetryAfter)
{
    public static ReadModelOptions From(Config fleet, Problems problems) => new(
        BatchSize: problems.Number(fleet, "read-model.batch-size", 1, 100_000),
        BatchWithin: problems.Positive(fleet, "read-model.batch-within"),
        RetryAfter: problems.Positive(fleet, "read-model.retry-after"));
}
