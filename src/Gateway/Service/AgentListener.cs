using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway.Service;

/// <param name="Gateway">The <see cref="GatewayActor"/>.</param>
/// <param name="Certificate">The certificate (with key) to show on the next connection; asked anew each time.</param>
/// <param name="Trust">Which client certificates are genuine.</param>
/// <param name="Network">Null: the machine's own sockets.</param>
public sealed record AgentListenerSetup(
    IActorRef Gateway,
    AgentEndpoint Endpoint,
    GatewayOptions Options,
    Func<X509Certificate2> Certificate,
    PeerTrust Trust,
    TimeProvider Clock,
    ILoggerFactory Logging,
    IByteNetwork? Network = null);

/// <summary>The open port for agents: gRPC on HTTP/2 over mutual TLS. Listens from <see cref="Start"/> until disposed.</summary>
public sealed class AgentListener : IAsyncDisposable
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _host;

    private AgentListener(WebApplication host, IPEndPoint local) => (_host, Local) = (host, local);

    /// <summary>Where it listens; the port is the one chosen where the options say 0.</summary>
    public IPEndPoint Local { get; }

    /// <exception cref="IOException">The port is in use or may not be used; the message names it and its setting.</exception>
    public static async Task<AgentListener> Start(AgentListenerSetup setup, CancellationToken cancellation = default)
    {
        // Empty: no environment variables, no files, no console of ASP.NET's own decide anything here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new CallFaults(setup.Logging, setup.Clock));
        builder.Services.AddLogging();
        builder.Services.AddSingleton(new AgentGatewayService(setup.Gateway, setup.Endpoint.Face, setup.Options, setup.Clock));
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = AgentGatewayService.MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
        });
        if (setup.Network is { } network)
            builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, setup));
        var host = builder.Build();
        host.MapGrpcService<AgentGatewayService>();
        var endpoint = setup.Endpoint;
        var (who, block) = endpoint.Face == AgentFace.Push ? ("the push server", "fleet.push") : ("the gateway", "fleet.gateway");
        return new AgentListener(host, await host.Open(new IPEndPoint(endpoint.Bind, endpoint.Port), who, block, cancellation));
    }

    public ValueTask DisposeAsync() => _host.Close();

    private static void Limit(KestrelServerOptions kestrel, AgentListenerSetup setup)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = setup.Endpoint.MaxConnections;
        kestrel.Limits.MaxRequestBodySize = AgentGatewayService.MaxMessageBytes + 64;
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        // A device makes one call at a time; the windows bound what a thousand of them can make us hold.
        kestrel.Limits.Http2.MaxStreamsPerConnection = 4;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 128 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 96 * 1024;
        kestrel.Limits.Http2.KeepAlivePingDelay = setup.Endpoint.ProbeAfter;
        kestrel.Limits.Http2.KeepAlivePingTimeout = setup.Endpoint.ProbeTimeout;
        // Dead connections are found by the ping, not by their silence.
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromHours(2);
        var tls = new AgentTls(setup.Certificate, setup.Trust, setup.Logging.CreateLogger<AgentListener>());
        kestrel.Listen(new IPEndPoint(setup.Endpoint.Bind, setup.Endpoint.Port), listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(tls.HandshakeOptions(HandshakeTimeout));
        });
    }
}
