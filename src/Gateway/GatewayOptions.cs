using System.Net;
using Akka.Configuration;
using Fleet.Gateway.Service;
using Fleet.Messages.Settings;

namespace Fleet.Gateway;

/// <summary>Block <c>fleet.gateway</c>.</summary>
/// <param name="Bind">Address to listen at.</param>
/// <param name="Port">Port for agents; 0 lets the system choose.</param>
/// <param name="AnswerTimeout">How long a sync waits for headquarters before it is answered without.</param>
/// <param name="EnrolTimeout">How long an enrolment waits for headquarters.</param>
/// <param name="RetryAfter">Middle of the wait named to those who need headquarters while it is out of reach.</param>
/// <param name="MaxDevices">Devices remembered; the one longest unseen is forgotten first.</param>
/// <param name="MaxCacheBytes">Envelopes remembered, in bytes; the same rule.</param>
/// <param name="MaxWaiting">Syncs, and likewise enrolments, that wait for headquarters at a time.</param>
/// <param name="MaxConnections">Open connections of agents.</param>
/// <param name="ReturnsPerSecond">Agents that may come back a second after they lost this gateway.</param>
/// <param name="CallsPerDevice">Calls a second that one device may make in the long run.</param>
public sealed record GatewayOptions(
    IPAddress Bind,
    int Port,
    TimeSpan AnswerTimeout,
    TimeSpan EnrolTimeout,
    TimeSpan RetryAfter,
    int MaxDevices,
    int MaxCacheBytes,
    int MaxWaiting,
    int MaxConnections,
    int ReturnsPerSecond,
    int CallsPerDevice)
{
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(20);

    /// <summary>An idle device keeps its connection over its whole sync interval; dead ones are found by a rare probe.</summary>
    public AgentEndpoint Endpoint => new(AgentFace.Gateway, Bind, Port, MaxConnections, ProbeAfter, ProbeTimeout);

    public static GatewayOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "gateway.bind"),
        Port: problems.Port(fleet, "gateway.port"),
        AnswerTimeout: problems.Positive(fleet, "gateway.answer-timeout"),
        EnrolTimeout: problems.Positive(fleet, "gateway.enrol-timeout"),
        RetryAfter: problems.Positive(fleet, "gateway.retry-after"),
        MaxDevices: problems.Number(fleet, "gateway.max-devices", 1, 1_000_000),
        MaxCacheBytes: problems.Number(fleet, "gateway.max-cache-bytes", 1_000_000, int.MaxValue),
        MaxWaiting: problems.Number(fleet, "gateway.max-waiting", 1, 1_000_000),
        MaxConnections: problems.Number(fleet, "gateway.max-connections", 1, 1_000_000),
        ReturnsPerSecond: problems.Number(fleet, "gateway.returns-per-second", 1, 100_000),
        CallsPerDevice: problems.Number(fleet, "gateway.calls-per-device", 1, 100_000));
}
