using System.Globalization;
using Fleet.Updates.Content;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Fleet.Gateway.Content;

/// <summary>
/// <c>GET /blobs/HASH</c>: content by its hash, by ranges (RFC 9110, 14; several at once are answered with the whole). Every byte was verified just before it
/// goes out. Entity tags are the hashes, so a transfer goes on at any other server of the same content.
/// </summary>
/// <param name="store">The content.</param>
/// <param name="wanted">Asked for a blob that is not here or turned out damaged; true: it is here now. May take as long as it takes to bring it.</param>
/// <param name="served">How many bytes of a blob went out.</param>
public sealed class ContentEndpoint(BlobStore store, Func<BlobHash, CancellationToken, Task<bool>> wanted, ContentAdmission admission, Action<BlobHash, long> served)
{
    /// <summary>A blob's name says what it is, for ever.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    /// <summary>How long others may keep what is served.</summary>
    public string CacheControl { get; init; } = Immutable;

    public void Map(IEndpointRouteBuilder host) => host.MapMethods("/blobs/{hash}", [HttpMethods.Get, HttpMethods.Head], Serve);

    /// <summary>Answers with the content of that hash; 404: there is none, or it is no hash.</summary>
    public async Task Serve(HttpContext http, string hash)
    {
        if (BlobHash.Parse(hash) is not { } blob)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var place = admission.Enter();
        if (place is null)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(admission.ComeBackIn.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return;
        }

        using var reader = await Open(blob, http.RequestAborted);
        if (reader is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        await Send(http, reader);
    }

    // Damaged once: brought anew, and tried once more.
    private async Task<BlobReader?> Open(BlobHash blob, CancellationToken cancellation)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if (store.Open(blob) is { } reader)
                    return reader;
            }
            catch (BlobDamagedException) when (attempt == 0)
            {
                // Set aside.
            }

            if (attempt > 0 || !await wanted(blob, cancellation))
                return null;
        }
    }

    private async Task Send(HttpContext http, BlobReader reader)
    {
        var (request, response) = (http.Request.GetTypedHeaders(), http.Response);
        var tag = new EntityTagHeaderValue($"\"{reader.Hash}\"");
        response.Headers.ETag = tag.ToString();
        response.Headers.CacheControl = CacheControl;
        response.Headers.AcceptRanges = "bytes";
        if (request.IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false) || t.Equals(EntityTagHeaderValue.Any)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (from, count) = (0L, reader.Length);
        if (request.Range is { Unit.Value: "bytes", Ranges: { Count: 1 } ranges } && (request.IfRange is null || request.IfRange.EntityTag?.Compare(tag, useStrongComparison: true) == true))
        {
            var range = ranges.Single();
            from = range.From ?? Math.Max(0, reader.Length - range.To!.Value);
            var end = range.From is null ? reader.Length : Math.Min(reader.Length, range.To is { } last && last < long.MaxValue ? last + 1 : reader.Length);
            if (from >= end)
            {
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                response.Headers.ContentRange = new ContentRangeHeaderValue(reader.Length).ToString();
                return;
            }

            count = end - from;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = new ContentRangeHeaderValue(from, end - 1, reader.Length).ToString();
        }

        response.ContentType = "application/octet-stream";
        response.ContentLength = count;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        await Copy(http, reader, from, count);
    }

    private async Task Copy(HttpContext http, BlobReader reader, long from, long count)
    {
        var left = count;
        try
        {
            while (left > 0)
            {
                var bytes = reader.Read(from);
                bytes = bytes[..(int)Math.Min(bytes.Length, left)];
                await http.Response.BodyWriter.WriteAsync(bytes, http.RequestAborted);
                (from, left) = (from + bytes.Length, left - bytes.Length);
            }
        }
        catch (BlobDamagedException)
        {
            // What went out is right. The asker sees that the rest is missing, and goes on behind it once the blob is whole again.
            http.Abort();
            _ = wanted(reader.Hash, CancellationToken.None);
        }
        finally
        {
            served(reader.Hash, count - left);
        }
    }
}
