using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Gateway.Monitoring;

/// <summary>Block <c>fleet.metrics</c>.</summary>
/// <param name="Listen">Whether metrics and health can be read at a port.</param>
/// <param name="OtlpEndpoint">Where metrics are sent besides; null: nowhere.</param>
/// <param name="OtlpEvery">How often they are sent.</param>
public sealed record MonitoringOptions(bool Listen, IPAddress Bind, int Port, Uri? OtlpEndpoint, TimeSpan OtlpEvery)
{
    public static MonitoringOptions From(Config fleet, Problems problems) => new(
        Listen: problems.Switch(fleet, "metrics.listen"),
        Bind: problems.Address(fleet, "metrics.bind"),
        Port: problems.Port(fleet, "metrics.port"),
        OtlpEndpoint: Endpoint(fleet, "metrics.otlp-endpoint", problems),
        OtlpEvery: problems.Positive(fleet, "metrics.otlp-every"));

    /// <summary>The address of a collector that speaks OTLP over gRPC; null where none is set.</summary>
    internal static Uri? Endpoint(Config fleet, string key, Problems problems)
    {
        var text = problems.Optional(fleet, key);
        if (text.Length == 0)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https")
            return endpoint;
        problems.Add($"fleet.{key}", $"'{text}' is no address such as http://127.0.0.1:4317");
        return null;
    }
}
