using System.Net;
using System.Net.Http.Headers;
using Fleet.Updates.Content;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Fetching;

/// <summary>Blobs over HTTP at <c>BASE/HASH</c>, by ranges (RFC 9110, 14). No redirect is followed: a mirror could lead into the asker's own network.</summary>
public sealed class HttpBlobSource : IBlobSource
{
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly string _base;
    private readonly bool _isDirectory;
    private readonly Func<BlobHash, IReadOnlyDictionary<string, string>>? _headers;

    /// <param name="http">With its redirects and its own time limit turned off.</param>
    /// <param name="address">The directory of the blobs.</param>
    /// <param name="headers">Sent with the question for a blob.</param>
    public HttpBlobSource(HttpClient http, Uri address, Func<BlobHash, IReadOnlyDictionary<string, string>>? headers = null)
        : this(http, address.AbsoluteUri.TrimEnd('/'), isDirectory: true, headers)
    {
    }

    private HttpBlobSource(HttpClient http, string address, bool isDirectory, Func<BlobHash, IReadOnlyDictionary<string, string>>? headers) =>
        (_http, _base, _isDirectory, _headers) = (http, address, isDirectory, headers);

    public string Name => _base;

    /// <summary>A file of a server that knows nothing of hashes, taken for whichever blob is asked for.</summary>
    /// <param name="http">With its own time limit turned off.</param>
    public static HttpBlobSource OfFile(HttpClient http, Uri file) => new(http, file.AbsoluteUri, isDirectory: false, headers: null);

    /// <summary>A client as this source needs it.</summary>
    /// <param name="handler">Where proxy, TLS pins or credentials are set.</param>
    public static HttpClient Client(SocketsHttpHandler? handler = null)
    {
        handler ??= new SocketsHttpHandler();
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _isDirectory ? $"{_base}/{hash}" : _base);
        if (from > 0)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
            // Content named by its hash never changes; a source that changed it all the same sends the whole, and is found out by it.
            if (_isDirectory)
                request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue($"\"{hash}\""));
        }
        else if (_isDirectory)
        {
            // What goes on behind a cut counts bytes as they are.
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(WireCompression.Coding));
        }

        foreach (var (name, value) in _headers?.Invoke(hash) ?? new Dictionary<string, string>())
            if (value.Length > 0)
                request.Headers.TryAddWithoutValidation(name, value);
        HttpResponseMessage? response = null;
        try
        {
            using (request)
                response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            // Stores that do not list their content say 403 for what they do not have.
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
                return null;
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                throw new SourceBusyException($"{_base} is busy{Later(response)}", response.Headers.RetryAfter?.Delta ?? DefaultWait);
            var begins = response.StatusCode switch
            {
                HttpStatusCode.OK => 0,
                HttpStatusCode.PartialContent when from > 0 => response.Content.Headers.ContentRange?.From ?? -1,
                _ => throw new IOException($"{_base} answered {(int)response.StatusCode} {response.ReasonPhrase}{Later(response)}"),
            };
            if (begins != from && begins != 0)
                throw new IOException($"{_base} sent bytes from {begins} where those from {from} were asked for");
            var codings = response.Content.Headers.ContentEncoding;
            if (codings.Count > 0 && (begins != from || from > 0 || !codings.SequenceEqual([WireCompression.Coding])))
                throw new IOException($"{_base} sent what is encoded as {string.Join(", ", codings)}, which was not asked for");
            var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            if (codings.Count > 0)
                body = WireCompression.Decode(body);
            response = null;
            return begins == from ? body : await Behind(body, from, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException fault)
        {
            throw new IOException($"{_base}: {HttpSource.Why(fault)}", fault);
        }
        finally
        {
            response?.Dispose();
        }
    }

    private static string Later(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta is { } wait ? $", and asks to come back in {wait.TotalSeconds:0} s" : "";

    // A source without ranges sends all of it again.
    private static async Task<Stream> Behind(Stream body, long from, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        while (from > 0 && await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, from)), cancellation).ConfigureAwait(false) is > 0 and var read)
            from -= read;
        return body;
    }
}
