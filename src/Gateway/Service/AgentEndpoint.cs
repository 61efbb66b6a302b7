using System.Net;

namespace Fleet.Gateway.Service;

/// <summary>One port for agents.</summary>
/// <param name="MaxConnections">Open at a time.</param>
/// <param name="ProbeAfter">A connection that was quiet for this long is probed by an HTTP/2 ping.</param>
/// <param name="ProbeTimeout">Without an answer for this long it is closed.</param>
public sealed record AgentEndpoint(AgentFace Face, IPAddress Bind, int Port, int MaxConnections, TimeSpan ProbeAfter, TimeSpan ProbeTimeout);

/// <summary>What an agent's port serves.</summary>
public enum AgentFace
{
    /// <summary>Syncs and enrolments.</summary>
    Gateway = 1,

    /// <summary>Lines of always-connected devices.</summary>
    Push = 2,
}
