using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Content;
using Fleet.Updates.Content;
using Fleet.Updates.Mirroring;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Bench;

/// <summary>Serves the blobs of a directory as a distribution point does, and nothing else, in a process of its own so that its processor time is told apart.</summary>
internal static class ContentServer
{
    /// <summary>The command's name, for the benchmark only.</summary>
    public const string Command = "serve-content";

    /// <summary>Said when it serves, before its two ports: plain, and with TLS on both sides.</summary>
    public const string Ready = "serving on";

    /// <param name="directory">Has <c>store</c>, and <c>ca.pem</c>, <c>server.pem</c> and <c>server.key</c>.</param>
    public static async Task Run(string directory, CancellationToken stop)
    {
        var store = new BlobStore(Path.Combine(directory, "store"), BlobStoreOptions.Default with { MinFree = 0 }, TimeProvider.System);
        var endpoint = new ContentEndpoint(store, (_, _) => Task.FromResult(ContentAnswer.Unknown), new ContentAdmission(100, 100, TimeSpan.FromSeconds(1)), (_, _, _) => { });
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory, "ca.pem"));
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(directory, "server.pem"), Path.Combine(directory, "server.key"));
        var tls = new ContentTls(new ShownCertificate(() => certificate, authority), new PeerTrust(authority, TimeProvider.System, PeerTrust.FieldTolerance), RequireClientCertificate: true);
        await using var plain = await ContentListener.Start(Listener(endpoint, tls: null), stop).ConfigureAwait(false);
        await using var secure = await ContentListener.Start(Listener(endpoint, tls), stop).ConfigureAwait(false);
        Console.WriteLine($"{Ready} {plain.Local.Port} {secure.Local.Port}");
        await new TaskCompletionSource().Task.WaitAsync(stop).ConfigureAwait(false);
    }

    private static ContentListenerSetup Listener(ContentEndpoint endpoint, ContentTls? tls) =>
        new(new IPEndPoint(IPAddress.Loopback, 0), "bench", "bench", tls, endpoint.Map, NullLoggerFactory.Instance, Network: null);
}
