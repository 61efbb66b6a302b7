using Akka.Configuration;
using Fleet.Messages.Admission;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Monitoring;

/// <summary>Block <c>fleet.overload</c>.</summary>
/// <param name="PutOff">Whether anything is put off; else it is told alone.</param>
public sealed record OverloadOptions(bool PutOff, OverloadLimits Limits)
{
    public static OverloadOptions From(Config fleet, Problems problems) => new(
        PutOff: problems.Switch(fleet, "overload.put-off"),
        new OverloadLimits(
            PoolDelay: problems.Positive(fleet, "overload.work-late"),
            JournalWrite: problems.Positive(fleet, "overload.journal-write"),
            ShownLate: problems.Positive(fleet, "overload.shown-late")));
}
