using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Fleet.TestSupport;

/// <summary>A gateway in this process: Kestrel, gRPC over HTTP/2 and mutual TLS on a free loopback port; what it answers is the test's to say.</summary>
public sealed class FakeGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;

    private FakeGateway(WebApplication app, X509Certificate2 certificate, Answers answers)
    {
        (_app, _certificate, Replies) = (app, certificate, answers);
        var url = new Uri(LoopbackHost.UrlOf(app));
        Address = $"127.0.0.1:{url.Port}";
    }

    /// <summary><c>host:port</c>.</summary>
    public string Address { get; }

    public Answers Replies { get; }

    /// <summary>Starts one that shows a certificate of the authority for the identity.</summary>
    public static async Task<FakeGateway> Start(TestAuthority authority, PeerIdentity identity, Answers answers, int port = 0, TimeSpan? life = null)
    {
        var certificate = authority.Issue(identity, life);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(answers);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection =>
            {
                answers.CountConnection();
                return next(connection);
            });
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (_, _, _) => true,
                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            });
        }));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync();
        return new FakeGateway(app, certificate, answers);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    /// <summary>What the gateway answers, and what it was asked.</summary>
    public sealed class Answers
    {
        private int _connections;
        private int _syncs;
        private int _enrolments;

        public Func<SyncRequest, SyncReply> Sync { get; set; } = _ => throw new RpcException(new Status(StatusCode.Unavailable, "not set"));

        public Func<EnrolRequest, EnrolReply> Enrol { get; set; } = _ => throw new RpcException(new Status(StatusCode.Unavailable, "not set"));

        public int Connections => _connections;

        public int Syncs => _syncs;

        public int Enrolments => _enrolments;

        internal void CountConnection() => Interlocked.Increment(ref _connections);

        internal SyncReply Answer(SyncRequest request)
        {
            Interlocked.Increment(ref _syncs);
            return Sync(request);
        }

        internal EnrolReply Answer(EnrolRequest request)
        {
            Interlocked.Increment(ref _enrolments);
            return Enrol(request);
        }
    }

    private sealed class Service(Answers answers) : AgentGateway.AgentGatewayBase
    {
        public override Task<SyncReply> Sync(SyncRequest request, ServerCallContext context) => Task.FromResult(answers.Answer(request));

        public override Task<EnrolReply> Enrol(EnrolRequest request, ServerCallContext context) => Task.FromResult(answers.Answer(request));
    }
}
