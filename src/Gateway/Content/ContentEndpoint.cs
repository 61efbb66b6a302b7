using System.Globalization;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
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
/// <param name="wanted">Asked for a blob that is not here or turned out damaged. May take a while to bring it.</param>
/// <param name="served">How many bytes of a blob went out.</param>
public sealed class ContentEndpoint(BlobStore store, ContentWanted wanted, ContentAdmission admission, ContentServed served)
{
    /// <summary>When who is told that a blob is on its way should ask again.</summary>
    private static readonly TimeSpan AskAgainIn = TimeSpan.FromSeconds(1);

    /// <summary>A blob's name says what it is, for ever.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    /// <summary>How long others may keep what is served.</summary>
    public string CacheControl { get; init; } = Immutable;

    /// <summary>Whether whole content is compressed for who takes that, where it helps: behind a narrow line. In a LAN it only costs time.</summary>
    public bool Compresses { get; init; }

    public void Map(IEndpointRouteBuilder host) => host.MapMethods("/blobs/{hash}", [HttpMethods.Get, HttpMethods.Head], Serve);

    /// <summary>Answers with the content of that hash; 404: there is none, or it is no hash.</summary>
    public async Task Serve(HttpContext http, string hash)
    {
        if (BlobHash.Parse(hash) is not { } blob)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // Who waits for a blob to come takes no place from those who are being sent one.
        var (reader, answer) = await Open(blob, http);
        if (reader is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            if (answer == ContentAnswer.Later)
                ComeBack(http, AskAgainIn);
            return;
        }

        using (reader)
        using (var place = admission.Enter(http))
        {
            if (place is null)
                ComeBack(http, admission.ComeBackIn);
            else
                await Send(http, reader, fromCache: answer is null);
        }
    }

    private static void ComeBack(HttpContext http, TimeSpan within)
    {
        http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        http.Response.Headers.RetryAfter = ((int)Math.Ceiling(within.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }

    // Damaged once: brought anew, and tried once more. No answer: it was here.
    private async Task<(BlobReader?, ContentAnswer?)> Open(BlobHash blob, HttpContext http)
    {
        for (ContentAnswer? answer = null; ;)
        {
            try
            {
                if (store.Open(blob) is { } reader)
                    return (reader, answer);
            }
            catch (BlobDamagedException) when (answer is null)
            {
                // Set aside.
            }

            if (answer is not null || (answer = await wanted(blob, http)) != ContentAnswer.Here)
                return (null, answer);
        }
    }

    private async Task Send(HttpContext http, BlobReader reader, bool fromCache)
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
        if (Compresses)
        {
            response.Headers.Vary = HeaderNames.AcceptEncoding;
            if (count == reader.Length && response.StatusCode == StatusCodes.Status200OK && request.AcceptEncoding.Any(e => e.Value == WireCompression.Coding && e.Quality != 0)
                && Helps(reader))
            {
                response.Headers.ContentEncoding = WireCompression.Coding;
                // Not these very bytes, so none of it goes on by ranges.
                response.Headers.ETag = $"W/{tag}";
                response.Headers.Remove(HeaderNames.AcceptRanges);
                if (!HttpMethods.IsHead(http.Request.Method))
                    await Compress(http, reader, fromCache);
                return;
            }
        }

        response.ContentLength = count;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        await Copy(http, reader, from, count, fromCache);
    }

    private static bool Helps(BlobReader reader)
    {
        try
        {
            return WireCompression.Helps(reader.Read(0).Span);
        }
        catch (BlobDamagedException)
        {
            // Who reads it next finds the same, and knows what to do.
            return false;
        }
    }

    private async Task Compress(HttpContext http, BlobReader reader, bool fromCache)
    {
        var sent = 0L;
        try
        {
            var compressed = WireCompression.Encode(http.Response.Body);
            while (sent < reader.Length)
            {
                var bytes = reader.Read(sent);
                await compressed.WriteAsync(bytes, http.RequestAborted);
                sent += bytes.Length;
            }

            // Only now its end is written.
            await compressed.DisposeAsync();
        }
        catch (BlobDamagedException)
        {
            http.Abort();
        }
        finally
        {
            served(reader.Hash, sent, fromCache);
        }
    }

    private async Task Copy(HttpContext http, BlobReader reader, long from, long count, bool fromCache)
    {
        var (left, body) = (count, http.Response.BodyWriter);
        try
        {
            // Started: what is got to be written to is what is sent, and no copy of it.
            await http.Response.StartAsync(http.RequestAborted);
            while (left > 0)
            {
                // Only what was found to be sound is handed on.
                var read = reader.Read(from, left, body.GetMemory(BlobReader.MostAtOnce).Span);
                body.Advance(read);
                await body.FlushAsync(http.RequestAborted);
                (from, left) = (from + read, left - read);
            }
        }
        catch (BlobDamagedException)
        {
            // What went out is right. The asker sees that the rest is missing, and goes on behind it once the blob is whole again.
            http.Abort();
        }
        finally
        {
            served(reader.Hash, count - left, fromCache);
        }
    }
}

/// <summary>Whether a blob that somebody asks for can be had.</summary>
/// <param name="asked">The question, whose end is the end of the waiting.</param>
public delegate Task<ContentAnswer> ContentWanted(BlobHash hash, HttpContext asked);

/// <param name="fromCache">It was here when it was asked for.</param>
public delegate void ContentServed(BlobHash hash, long bytes, bool fromCache);
