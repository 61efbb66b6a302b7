using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway.Service;

/// <summary>
/// The TLS of the agents' port: always mutual, the own certificate asked anew for each connection (a renewal needs no restart), and the client either
/// a device of Fleet's CA or a newcomer with a self-signed certificate, who gets no further than Enrol.
/// </summary>
public sealed partial class AgentTls(Func<X509Certificate2> certificate, PeerTrust trust, ILogger log)
{
    /// <summary>A hostile client must not fill the log: at most one line about refused clients in this time.</summary>
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(1);

    private readonly ShownCertificate _own = new(certificate, trust.Authority);
    private readonly Lock _lock = new();
    private DateTimeOffset _loggedAt = DateTimeOffset.MinValue;
    private int _refusedSince;

    /// <summary>What Kestrel asks at each connection.</summary>
    public TlsHandshakeCallbackOptions HandshakeOptions(TimeSpan timeout) => new()
    {
        HandshakeTimeout = timeout,
        OnConnection = connection => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _own.Context(),
            ClientCertificateRequired = true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            AllowRenegotiation = false,
            // A resumed session would skip the judging below.
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, shown, _, _) => Admit(shown, out var peer) && Attach(peer, connection),
        }),
    };

    private static bool Attach(ConnectedPeer peer, TlsHandshakeCallbackContext connection)
    {
        peer.AttachTo(connection.Connection);
        return true;
    }

    private bool Admit(X509Certificate? shown, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ConnectedPeer? peer)
    {
        peer = null;
        var client = shown as X509Certificate2;
        var identity = trust.Check(client, out var problem);
        if (identity is { Kind: PeerKind.Device })
            peer = new ConnectedPeer(identity, client!.NotAfter.ToUniversalTime() + trust.ClockTolerance);
        else if (identity is not null)
            problem = $"this is the certificate of {identity}, and only devices sync here";
        else if (client is not null && ConnectedPeer.IsSelfSigned(client))
            peer = new ConnectedPeer(null, DateTimeOffset.MaxValue);
        if (peer is null)
            Refused(problem);
        return peer is not null;
    }

    private void Refused(string problem)
    {
        int count;
        lock (_lock)
        {
            _refusedSince++;
            var now = trust.Clock.GetUtcNow();
            if (now - _loggedAt < LogEvery)
                return;
            (_loggedAt, count, _refusedSince) = (now, _refusedSince, 0);
        }

        LogRefused(count, problem);
    }

    [LoggerMessage(LogLevel.Warning, "Refused {Count} connections of agents, the last because {Problem}")]
    private partial void LogRefused(int count, string problem);
}
