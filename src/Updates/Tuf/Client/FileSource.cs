using System.Net;
using System.Security.Authentication;

namespace Fleet.Updates.Tuf.Client;

/// <summary>Where the files of a repository are taken from. Nothing that comes from it is trusted.</summary>
public interface IFileSource
{
    /// <summary>Opens a file for reading from its start; null where the source says that it has no such file.</summary>
    /// <param name="path">Segments with <c>/</c> between, each URL-encoded.</param>
    /// <exception cref="TufException"><see cref="TufFault.Unavailable"/>: any other answer, or none.</exception>
    Task<Stream?> OpenAsync(string path, CancellationToken stop);
}

/// <summary>A repository over HTTP. It follows no redirect: a mirror could send its clients to a file or an address inside their network.</summary>
public sealed class HttpSource : IFileSource, IDisposable
{
    private const int MaxHeaderKilobytes = 16;

    private readonly HttpClient _http;
    private readonly string _base;
    private readonly bool _isShared;

    /// <param name="url">The directory of the files.</param>
    /// <param name="http">Shared with others, and set up as the other constructor would; a handler can't be set up again once it was used.</param>
    public HttpSource(Uri url, HttpClient http) => (_base, _http, _isShared) = (url.AbsoluteUri.TrimEnd('/'), http, true);

    /// <param name="url">The directory of the files.</param>
    /// <param name="handler">Where proxy, TLS pins or credentials are set; its redirects are turned off.</param>
    public HttpSource(Uri url, SocketsHttpHandler? handler = null)
    {
        _base = url.AbsoluteUri.TrimEnd('/');
        handler ??= new SocketsHttpHandler();
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.MaxResponseHeadersLength = MaxHeaderKilobytes;
        // How long an answer may take is judged by the bytes that come (Transfer).
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<Stream?> OpenAsync(string path, CancellationToken stop)
    {
        HttpResponseMessage? response = null;
        try
        {
            response = await _http.GetAsync(new Uri($"{_base}/{path}"), HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
                response = null;
                return body;
            }

            // Stores that do not list their content say 403 for what they do not have.
            return response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden
                ? null
                : throw new TufException(TufFault.Unavailable, path,
                    $"{_base} answered {(int)response.StatusCode}{(response.StatusCode == HttpStatusCode.Unauthorized ? ": user or password are wrong, or missing" : "")}");
        }
        catch (HttpRequestException fault)
        {
            throw new TufException(TufFault.Unavailable, path, $"{_base}: {Why(fault)}", fault);
        }
        finally
        {
            response?.Dispose();
        }
    }

    public void Dispose()
    {
        if (!_isShared)
            _http.Dispose();
    }

    /// <summary>What went wrong, where the message itself only says that something did.</summary>
    internal static string Why(HttpRequestException fault) => fault.InnerException is AuthenticationException tls ? tls.GetBaseException().Message : fault.Message;
}
