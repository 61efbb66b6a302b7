using System.Net;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Content;
using Fleet.Messages.Transport;
using Fleet.Updates.Mirroring;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// The HTTPS port of the tenant's repository, as any TUF client reads it: <c>/metadata/</c>, <c>/targets/</c>, and the files that manifests name at
/// <c>/blobs/HASH</c>; beside it <c>/vendors/NAME/metadata/</c> of each vendor. Nothing can be changed there. Who reaches it reads what is published, so by default it asks for a certificate of Fleet's CA; which
/// node or device it names makes no difference.
/// </summary>
public static class UpdateFace
{
    private static readonly TimeSpan ComeBackIn = TimeSpan.FromSeconds(5);

    /// <param name="trust">Which client certificates are genuine.</param>
    /// <param name="network">Null: the machine's own sockets.</param>
    /// <exception cref="IOException">The port is in use or may not be used; the message names the setting.</exception>
    public static Task<ContentListener> Start(
        UpdateOptions options, TenantRepository repository, VendorMirrors vendors, ShownCertificate certificate, PeerTrust trust, ILoggerFactory logging, IByteNetwork? network = null, CancellationToken cancellation = default, Action<long>? sent = null) => ContentListener.Start(
        new ContentListenerSetup(
            new IPEndPoint(options.Bind, options.Port), "the update repository", "fleet.updates", new ContentTls(certificate, trust, options.RequireClientCertificate),
            Files(repository, vendors, options.MaxTransfers, sent).Map, logging, network),
        cancellation);

    /// <summary>The repository's files, and the vendors' metadata. Headquarters is where content comes from: what its disk has lost, nobody can bring.</summary>
    /// <param name="mostTransfers">At a time.</param>
    /// <param name="sent">Told of every transfer's bytes.</param>
    public static MetadataEndpoint Files(TenantRepository repository, VendorMirrors vendors, int mostTransfers, Action<long>? sent = null) => new(repository.Metadata, vendors.Metadata, new ContentEndpoint(
        repository.Content.Blobs, (_, _) => Task.FromResult(ContentAnswer.Unknown), new ContentAdmission(mostTransfers, mostTransfers, ComeBackIn), (_, bytes, _) => sent?.Invoke(bytes))
    {
        Compresses = true,
    });
}
