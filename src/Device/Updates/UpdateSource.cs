using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Device.Updates;

/// <summary>
/// One server of the repository over HTTP(S), its connections kept open. Inside TLS it shows who it is; what it serves is verified all the same, and so may
/// be served in the clear where headquarters says so.
/// </summary>
internal sealed class UpdateSource : IBlobSource, IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _client;
    private readonly HttpBlobSource _blobs;
    private readonly HttpSource _metadata;
    private readonly HttpSource _targets;
    private readonly X509Certificate2? _certificate;
    private volatile string? _judgement;

    /// <param name="office">The device's: another office's node is not spoken to.</param>
    public UpdateSource(UpdateAddress address, ByteDialler dial, DeviceIdentity identity, OfficeId office, DeviceOptions options, TimeProvider clock)
    {
        Address = address;
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = options.ConnectTimeout,
            ActivityHeadersPropagator = null,
            ConnectCallback = async (_, cancellation) => await dial($"{address.Base.Host}:{address.Base.Port}", cancellation).ConfigureAwait(false),
        };
        if (address.Base.Scheme == Uri.UriSchemeHttps)
        {
            _certificate = identity.Current.ForTls();
            var trust = identity.Trust(clock);
            _handler.SslOptions = PeerTls.Client(_certificate, (leaf, _) => (_judgement = Judge(leaf, trust, office)) is null);
        }

        // All three set up the one handler before any of them uses it.
        _client = HttpBlobSource.Client(_handler);
        _blobs = new HttpBlobSource(_client, new Uri(address.Base, "blobs"));
        _metadata = new HttpSource(new Uri(address.Base, "metadata"), _handler);
        _targets = new HttpSource(new Uri(address.Base, "targets"), _handler);
    }

    public UpdateAddress Address { get; }

    public string Name => Address.Name;

    public IFileSource Metadata => new Told(this, _metadata);

    public IFileSource Targets => new Told(this, _targets);

    public async Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
    {
        _judgement = null;
        try
        {
            return await _blobs.Open(hash, from, cancellation).ConfigureAwait(false);
        }
        catch (IOException) when (_judgement is { } judgement)
        {
            throw new IOException(judgement);
        }
    }

    public void Dispose()
    {
        _metadata.Dispose();
        _targets.Dispose();
        _client.Dispose();
        _handler.Dispose();
        _certificate?.Dispose();
    }

    private string? Judge(X509Certificate? leaf, PeerTrust trust, OfficeId office)
    {
        var peer = trust.Check(leaf as X509Certificate2, out var problem);
        return peer switch
        {
            null => problem,
            { Kind: PeerKind.Headquarters } when Address.IsHeadquarters => null,
            { Kind: PeerKind.Node } when !Address.IsHeadquarters && new NodeId(peer.Id).Office == office => null,
            _ => $"{peer} answers there",
        };
    }

    /// <summary>Says why TLS refused the peer, where HTTP says only that it did.</summary>
    private sealed class Told(UpdateSource source, HttpSource files) : IFileSource
    {
        public async Task<Stream?> OpenAsync(string path, CancellationToken stop)
        {
            source._judgement = null;
            try
            {
                return await files.OpenAsync(path, stop).ConfigureAwait(false);
            }
            catch (TufException) when (source._judgement is { } judgement)
            {
                throw new TufException(TufFault.Unavailable, path, judgement);
            }
        }
    }
}
