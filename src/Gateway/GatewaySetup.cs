using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Service;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway;

/// <summary>
/// A gateway in three parts: the uplink, the <see cref="GatewayActor"/> in front of it, and the port for agents. Headquarters starts all at once
/// (<see cref="StartWhole"/>); an office node opens the port only while it holds the role.
/// </summary>
public static class GatewaySetup
{
    /// <param name="uplink">Answers <see cref="GatewayReady"/>, carries <see cref="SendUp"/>.</param>
    public static async Task<AgentListener> StartWhole(
        IActorRefFactory system,
        GatewayOptions options,
        IActorRef uplink,
        Func<X509Certificate2> certificate,
        PeerTrust trust,
        TimeProvider clock,
        ILoggerFactory logging,
        IByteNetwork? network = null)
    {
        var gateway = system.ActorOf(GatewayActor.Props(options, new NoStore(), uplink, clock), "gateway");
        return await AgentListener.Start(new AgentListenerSetup(gateway, options, certificate, trust, clock, logging, network));
    }
}
