using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Monitoring;
using Fleet.Gateway.Service;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway;

/// <summary>
/// A gateway in three parts: the uplink, the <see cref="GatewayActor"/> in front of it, and the ports for agents: one for syncs, one for lines.
/// Headquarters starts all at once (<see cref="StartWhole"/>); an office node opens each port only while it holds the role.
/// </summary>
public static class GatewaySetup
{
    /// <param name="uplink">Answers <see cref="GatewayReady"/>, carries <see cref="SendUp"/>.</param>
    public static async Task<(AgentListener Agents, AgentListener Lines)> StartWhole(
        IActorRefFactory system,
        GatewayOptions options,
        PushOptions push,
        IActorRef uplink,
        Func<X509Certificate2> certificate,
        PeerTrust trust,
        TimeProvider clock,
        ILoggerFactory logging,
        IByteNetwork? network = null,
        GatewayWatch? watch = null)
    {
        var gateway = system.ActorOf(GatewayActor.Props(options, new NoStore(), uplink, clock, watch), "gateway");
        AgentListenerSetup At(AgentEndpoint endpoint) => new(gateway, endpoint, options, certificate, trust, clock, logging, network);
        var agents = await AgentListener.Start(At(options.Endpoint));
        try
        {
            return (agents, await AgentListener.Start(At(push.Endpoint)));
        }
        catch
        {
            await agents.DisposeAsync();
            throw;
        }
    }
}
