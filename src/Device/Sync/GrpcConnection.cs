using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Settings;
using Grpc.Core;
using Grpc.Net.Client;

namespace Fleet.Device.Sync;

/// <summary>Opens a byte stream to <c>host:port</c>. Real: <see cref="Tcp.Connect"/>; in labs a simulated network.</summary>
/// <exception cref="IOException">Nobody there, or the network refuses.</exception>
public delegate Task<Stream> ByteDialler(string address, CancellationToken cancellation);

/// <summary>The real network.</summary>
public static class Tcp
{
    public static async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        var (host, port) = HostPort.Parse(address);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception fault)
        {
            socket.Dispose();
            if (fault is SocketException)
                throw new IOException(fault.Message, fault);
            throw;
        }
    }
}

/// <summary>
/// One HTTP/2 connection over mutual TLS to one address, opened by the first call and kept open over many. The peer is judged inside the TLS
/// handshake, before a byte of a request is sent.
/// </summary>
internal sealed class GrpcConnection : IDisposable
{
    private const int MaxReplyBytes = 256 * 1024;

    private readonly SocketsHttpHandler _handler;
    private readonly GrpcChannel _channel;
    private readonly X509Certificate2 _certificate;
    private readonly string _address;
    private string? _judgement;

    /// <param name="certificate">Shown to the peer; owned from here on.</param>
    /// <param name="judge">Judges what the peer presented (leaf, all certificates): null lets it in, a text says why not.</param>
    /// <param name="lost">Called, from any thread, when the other side ended the connection, or it broke.</param>
    public GrpcConnection(
        string address, ByteDialler dial, X509Certificate2 certificate, Func<X509Certificate2, X509Certificate2Collection, string?> judge, DeviceOptions options, Action? lost = null)
    {
        (_address, _certificate) = (address, certificate);
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            // Traces cost wire bytes in every request.
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            KeepAlivePingDelay = options.Keepalive,
            KeepAlivePingTimeout = options.ProbeTimeout,
            InitialHttp2StreamWindowSize = MaxReplyBytes,
            ConnectCallback = async (_, cancellation) =>
                await dial(address, cancellation).ConfigureAwait(false) is var stream && lost is null ? stream : new WatchedStream(stream, lost),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                // The names in Fleet's certificates are identities, not hosts; the judge checks them.
                RemoteCertificateValidationCallback = (_, leaf, chain, _) => Judge(leaf, chain, judge),
            },
        };
        _channel = GrpcChannel.ForAddress($"https://{address}", new GrpcChannelOptions
        {
            HttpHandler = new LeanHeaders(_handler),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxReplyBytes,
            MaxRetryAttempts = 1,
            CompressionProviders = [],
        });
        Client = new AgentGateway.AgentGatewayClient(_channel);
    }

    public AgentGateway.AgentGatewayClient Client { get; }

    /// <summary>Makes one call and turns what can go wrong on the way into a <see cref="CarrierException"/>.</summary>
    public async Task<TReply> Call<TReply>(Func<AgentGateway.AgentGatewayClient, CallOptions, AsyncUnaryCall<TReply>> call, TimeSpan within, TimeProvider clock, CancellationToken cancellation)
    {
        _judgement = null;
        // Not a gRPC deadline: that is the machine's own clock, and a header in every request.
        using var late = new CancellationTokenSource(within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            using var running = call(Client, new CallOptions(cancellationToken: either.Token));
            return await running.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException fault)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unusable(fault, late.IsCancellationRequested ? $"no answer within {DurationText.Of(within)}" : null);
        }
    }

    /// <summary>Reads a stream until the server ends it.</summary>
    /// <exception cref="CarrierException">It could not be opened, or broke.</exception>
    public async Task Stream<TItem>(Func<AgentGateway.AgentGatewayClient, CallOptions, AsyncServerStreamingCall<TItem>> call, Action<TItem> take, CancellationToken cancellation)
    {
        _judgement = null;
        try
        {
            using var running = call(Client, new CallOptions(cancellationToken: cancellation));
            await foreach (var item in running.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
                take(item);
        }
        catch (RpcException fault)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unusable(fault, late: null);
        }
    }

    public void Dispose()
    {
        _channel.Dispose();
        _handler.Dispose();
        _certificate.Dispose();
    }

    private CarrierException Unusable(RpcException fault, string? late) =>
        new($"{_address}: {_judgement ?? late ?? Innermost(fault)}", RetryAfter.Read(fault.Trailers.GetValue(RetryAfter.Trailer)));

    private static string Innermost(RpcException fault)
    {
        // The innermost says what really happened: "Connection refused", not "an error occurred while sending the request".
        Exception? inner = fault.Status.DebugException;
        while (inner?.InnerException is not null)
            inner = inner.InnerException;
        return inner is null ? $"{fault.StatusCode}: {fault.Status.Detail}" : inner.Message;
    }

    private bool Judge(X509Certificate? leaf, X509Chain? chain, Func<X509Certificate2, X509Certificate2Collection, string?> judge)
    {
        // .NET hands over what else the peer sent as the chain's extra store.
        var presented = new X509Certificate2Collection(chain?.ChainPolicy.ExtraStore ?? []);
        _judgement = leaf is X509Certificate2 certificate ? judge(certificate, presented) : "the peer showed no certificate";
        return _judgement is null;
    }

    /// <summary>Leaves out what Fleet's peers don't read: without it an idle sync is a third smaller.</summary>
    private sealed class LeanHeaders(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Remove("User-Agent");
            request.Headers.Remove("grpc-accept-encoding");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
