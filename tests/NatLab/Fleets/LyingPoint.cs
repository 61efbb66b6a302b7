using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Gateway.Content;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.Office.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.NatLab.Fleets;

/// <summary>
/// A distribution point in hostile hands, on the machine of a node that is dead, with its certificate and its disk: metadata is genuine, and of content each
/// file has one byte changed.
/// </summary>
internal sealed class LyingPoint : IAsyncDisposable
{
    private const int Port = 13444;

    private readonly string _mirror;
    private readonly X509Certificate2 _certificate;
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private ContentListener? _listener;

    private LyingPoint(string mirror, X509Certificate2 certificate) => (_mirror, _certificate) = (mirror, certificate);

    /// <summary>How often it lied.</summary>
    public int Lies => _asked.Values.Sum();

    /// <param name="machine">The node's.</param>
    /// <param name="data">The node's data directory.</param>
    public static async Task<LyingPoint> Start(IByteNetwork machine, IPAddress address, string data)
    {
        using var directory = DataDirectory.Look(data, OfficeNode.DataKind);
        var identity = NodeIdentity.Load(directory) ?? throw new LabException($"{data} holds no node");
        var (certificate, authority) = (identity.Current.ForTls(), X509CertificateLoader.LoadCertificate(identity.Authority));
        var tls = new ContentTls(new ShownCertificate(() => certificate, authority), new PeerTrust(authority, TimeProvider.System, PeerTrust.FieldTolerance), RequireClientCertificate: true);
        var liar = new LyingPoint(Path.Combine(data, "distribution"), certificate);
        liar._listener = await ContentListener.Start(new ContentListenerSetup(new IPEndPoint(address, Port), "the liar", "none", tls, liar.Map, NullLoggerFactory.Instance, machine)).ConfigureAwait(false);
        return liar;
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    private void Map(WebApplication host)
    {
        host.MapGet("/metadata/{name}", (string name) => File.Exists(Genuine(name)) ? Results.Bytes(File.ReadAllBytes(Genuine(name)), "application/json") : Results.NotFound());
        host.MapGet("/blobs/{hash}", Lie);
        host.MapGet("/targets/{**path}", (string path) => Lie(Path.GetFileName(path).Split('.')[0]));
    }

    private string Genuine(string name) => Path.Combine(_mirror, "repository", "metadata", name);

    private IResult Lie(string hash)
    {
        var file = Path.Combine(_mirror, "content", "blobs", hash[..2], hash);
        if (!File.Exists(file))
            return Results.NotFound();
        _asked.AddOrUpdate(hash, 1, (_, before) => before + 1);
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        return Results.Bytes(bytes, "application/octet-stream");
    }
}
