using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Device.Updates;

/// <summary>
/// One server of the repository over HTTP(S), its connections kept open. Inside TLS it shows who it is; what it serves is verified all the same, and so may
/// be served in the clear where headquarters says so.
/// </summary>
internal sealed class UpdateSource : IBlobSource, IDisposable
{
    private readonly HttpClient _client;
    private readonly HttpBlobSource _blobs;
    private readonly X509Certificate2 _certificate;

    /// <param name="office">The device's: another office's node is not spoken to.</param>
    public UpdateSource(UpdateAddress address, ByteDialler dial, DeviceIdentity identity, OfficeId office, DeviceOptions options, TimeProvider clock)
    {
        (Address, _certificate) = (address, identity.Current.ForTls());
        var trust = identity.Trust(clock);
        _client = HttpBlobSource.Client(PeerHttp.Handler(() => _certificate, leaf => Judge(leaf, trust, office), (at, stop) => dial(at, stop), options.ConnectTimeout));
        _blobs = new HttpBlobSource(_client, new Uri(address.Base, "blobs"));
        Metadata = new HttpSource(new Uri(address.Base, "metadata"), _client);
        Targets = new HttpSource(new Uri(address.Base, "targets"), _client);
    }

    public UpdateAddress Address { get; }

    public string Name => Address.Name;

    public IFileSource Metadata { get; }

    public IFileSource Targets { get; }

    /// <summary>The metadata of a vendor's repository, as it is mirrored there.</summary>
    public IFileSource MetadataOf(string vendor) => new HttpSource(new Uri(Address.Base, $"vendors/{vendor}/metadata"), _client);

    public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) => _blobs.Open(hash, from, cancellation);

    public void Dispose()
    {
        _client.Dispose();
        _certificate.Dispose();
    }

    private string? Judge(X509Certificate2? leaf, PeerTrust trust, OfficeId office)
    {
        var peer = trust.Check(leaf, out var problem);
        return peer switch
        {
            null => problem,
            { Kind: PeerKind.Headquarters } when Address.IsHeadquarters => null,
            { Kind: PeerKind.Node } when !Address.IsHeadquarters && new NodeId(peer.Id).Office == office => null,
            _ => $"{peer} answers there",
        };
    }
}
