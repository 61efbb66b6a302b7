using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Gateway.Monitoring;

/// <summary>Block <c>fleet.traces</c>.</summary>
/// <param name="OtlpEndpoint">Where spans are sent; null: none are recorded.</param>
/// <param name="SamplePercent">So many of a hundred journeys that begin here are recorded.</param>
public sealed record TraceOptions(Uri? OtlpEndpoint, int SamplePercent)
{
    public static TraceOptions From(Config fleet, Problems problems) => new(
        OtlpEndpoint: MonitoringOptions.Endpoint(fleet, "traces.otlp-endpoint", problems),
        SamplePercent: problems.Number(fleet, "traces.sample-percent", 0, 100));
}
