using System.Net;
using Akka.Configuration;
using Fleet.Gateway.Service;
using Fleet.Messages.Settings;

namespace Fleet.Gateway;

/// <summary>Block <c>fleet.push</c>.</summary>
/// <param name="Bind">Address to listen at.</param>
/// <param name="Port">Port for always-connected agents; 0 lets the system choose.</param>
/// <param name="MaxLines">Lines open at a time.</param>
/// <param name="ProbeAfter">A line that was quiet for this long is probed, which also keeps NAT mappings on the way open.</param>
/// <param name="ProbeTimeout">Without an answer to a probe for this long the line is lost.</param>
public sealed record PushOptions(IPAddress Bind, int Port, int MaxLines, TimeSpan ProbeAfter, TimeSpan ProbeTimeout)
{
    public AgentEndpoint Endpoint => new(AgentFace.Push, Bind, Port, MaxLines, ProbeAfter, ProbeTimeout);

    public static PushOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "push.bind"),
        Port: problems.Port(fleet, "push.port"),
        MaxLines: problems.Number(fleet, "push.max-lines", 1, 1_000_000),
        ProbeAfter: problems.Positive(fleet, "push.probe-after"),
        ProbeTimeout: problems.Positive(fleet, "push.probe-timeout"));
}
