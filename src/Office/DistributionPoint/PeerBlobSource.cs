using Fleet.Updates.Content;
using Fleet.Updates.Fetching;

namespace Fleet.Office.DistributionPoint;

/// <summary>Another distribution point of the office: what comes from it does not cross the uplink.</summary>
internal sealed class PeerBlobSource(IBlobSource inner) : IBlobSource
{
    /// <summary>Says that a distribution point asks: whoever is asked looks upstream, and does not ask another in turn.</summary>
    public const string Header = "Fleet-Distribution-Point";

    public string Name => inner.Name;

    public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) => inner.Open(hash, from, cancellation);
}
