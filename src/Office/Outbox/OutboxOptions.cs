using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Office.Outbox;

/// <summary>Block <c>fleet.office.outbox</c>.</summary>
public sealed record OutboxOptions(int MaxReports, int MaxEvents, TimeSpan MaxAge)
{
    public static OutboxOptions From(Config fleet, Problems problems) => new(
        MaxReports: problems.Number(fleet, "office.outbox.max-reports", 1, 1_000_000),
        MaxEvents: problems.Number(fleet, "office.outbox.max-events", 10, 1_000_000),
        MaxAge: problems.Positive(fleet, "office.outbox.max-age"));
}
