using System.Globalization;
using Fleet.Contracts;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Microsoft.AspNetCore.Http;

namespace Fleet.Office.DistributionPoint;

/// <summary>Another distribution point of the office: what comes from it does not cross the uplink.</summary>
internal sealed class PeerBlobSource(IBlobSource inner) : IBlobSource
{
    public string Name => inner.Name;

    public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) => inner.Open(hash, from, cancellation);
}

/// <summary>
/// What a distribution point says of itself when it asks another. Whoever is asked looks upstream and does not ask a third; and if he is a generation behind,
/// he knows that he soon will have what he is asked for.
/// </summary>
/// <param name="Timestamp">Version of the timestamp that the asker serves.</param>
/// <param name="Manifest">Of the package that the content is of.</param>
/// <param name="OnlyIfHere">Whoever is asked is not to bring it (RFC 9111, 5.2.1.7).</param>
internal sealed record PeerQuestion(NodeId Node, ulong Timestamp, BlobHash? Manifest, bool OnlyIfHere)
{
    private const string OnlyIfCached = "only-if-cached";
    private const string NodeHeader = "Fleet-Distribution-Point";
    private const string TimestampHeader = "Fleet-Timestamp";
    private const string ManifestHeader = "Fleet-Manifest";

    /// <summary>Null: it is no distribution point that asks.</summary>
    public static PeerQuestion? Of(HttpRequest request) => request.Headers[NodeHeader] is [{ } node] && IdText.Problem(node, parts: 2) is null
        ? new PeerQuestion(new NodeId(node), ulong.TryParse(request.Headers[TimestampHeader], out var timestamp) ? timestamp : 0, BlobHash.Parse(request.Headers[ManifestHeader].ToString()),
            request.Headers.CacheControl == OnlyIfCached)
        : null;

    public IReadOnlyDictionary<string, string> ToHeaders() => new Dictionary<string, string>
    {
        [NodeHeader] = Node.Value, [TimestampHeader] = Timestamp.ToString(CultureInfo.InvariantCulture), [ManifestHeader] = Manifest?.Value ?? "", ["Cache-Control"] = OnlyIfHere ? OnlyIfCached : "",
    };
}
