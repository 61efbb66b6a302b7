using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Cli.Connection;

/// <summary>Calls the REST API. What goes wrong becomes a <see cref="CommandFailure"/> that says what to do.</summary>
internal sealed class FleetClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Reading a journal of some million rows takes a minute.</summary>
    private static readonly TimeSpan PrepareTimeout = TimeSpan.FromMinutes(10);

    private readonly ConnectionSettings _settings;
    private readonly PinnedServer _server;
    private readonly HttpClient _http;

    public FleetClient(ConnectionSettings settings, TimeProvider clock)
    {
        _settings = settings;
        _server = new PinnedServer(settings.Token.CaPin, clock);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = _server.Accept },
        })
        {
            BaseAddress = new Uri(settings.Url, "/api/v1/"),
            // Each call has its own: CallTimeout.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token.Bearer);
    }

    /// <summary><c>host:port</c> of the headquarters node that is asked.</summary>
    public string Address => _settings.Url.Authority;

    /// <summary>Headquarters' update repository, as its clients read it. Nothing that comes from it is trusted.</summary>
    public RepositorySource Repository => new(
        _settings.Url.Authority, new HttpSource(new Uri(_http.BaseAddress!, "repository/metadata"), _http), new HttpBlobSource(_http, new Uri(_http.BaseAddress!, "repository/blobs")));

    public Task<T> Get<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellation) =>
        Answered(new HttpRequestMessage(HttpMethod.Get, path), answer, cancellation);

    /// <summary>Like <see cref="Get"/>, but null where there is no such thing.</summary>
    public async Task<T?> Find<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellation)
        where T : class
    {
        using var response = await Sent(new HttpRequestMessage(HttpMethod.Get, path), cancellation).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await Read(response, answer, cancellation).ConfigureAwait(false);
    }

    public Task<T> Send<TBody, T>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> sent, JsonTypeInfo<T> answer, CancellationToken cancellation) =>
        Answered(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, sent) }, answer, cancellation);

    public Task<T> Post<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellation) =>
        Answered(new HttpRequestMessage(HttpMethod.Post, path), answer, cancellation);

    /// <summary>Like <see cref="Send"/>, where headquarters only says yes or no.</summary>
    public Task Tell<TBody>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> sent, CancellationToken cancellation) =>
        Accepted(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, sent) }, cancellation);

    /// <summary>The same without a body.</summary>
    public Task Tell(string path, CancellationToken cancellation) => Accepted(new HttpRequestMessage(HttpMethod.Post, path), cancellation);

    public Task Delete(string path, CancellationToken cancellation) => Accepted(new HttpRequestMessage(HttpMethod.Delete, path), cancellation);

    /// <summary>Uploads a file from one of its bytes to its end. The time limit is one of silence, not of the whole.</summary>
    /// <param name="from">What headquarters has of it already; at least the last byte is sent.</param>
    /// <param name="sent">Told how many bytes went out, piece by piece.</param>
    public async Task Upload(string path, string file, long from, Action<int> sent, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            using var content = File.OpenRead(file);
            var request = new HttpRequestMessage(HttpMethod.Put, path)
            {
                Content = new FilePart(content, Math.Clamp(from, 0, Math.Max(0, content.Length - 1)), bytes =>
                {
                    patience.CancelAfter(CallTimeout);
                    sent(bytes);
                }),
            };
            // A refusal comes before the body is sent, or it might be lost behind it.
            request.Headers.ExpectContinue = true;
            using var response = await Sent(request, patience, cancellation).ConfigureAwait(false);
            await Check(response, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{file} can't be read: {fault.Message}");
        }
    }

    /// <summary>Asks for something large and writes the answer to a stream. The time limits are of silence: first for headquarters to make it ready.</summary>
    /// <param name="came">Told how many bytes came, piece by piece.</param>
    public async Task Download<TBody>(string path, TBody body, JsonTypeInfo<TBody> sent, Stream to, Action<int> came, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var response = await Sent(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, sent) }, patience, cancellation, PrepareTimeout, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        await Check(response, cancellation).ConfigureAwait(false);
        try
        {
            using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            var buffer = new byte[128 * 1024];
            while (true)
            {
                patience.CancelAfter(CallTimeout);
                var read = await content.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
                if (read == 0)
                    return;
                await to.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                came(read);
            }
        }
        catch (HttpIOException cut)
        {
            throw new CommandFailure($"the connection to headquarters broke ({cut.Message}): try again; where it happens again, look at headquarters' log");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandFailure($"headquarters at {_settings.Url.Authority} sent nothing for {CallTimeout.TotalSeconds:0} s; look at its log");
        }
    }

    /// <summary>All pages of a list, one after the other.</summary>
    /// <param name="limit">No more than this many; null = all.</param>
    public async IAsyncEnumerable<T> List<T>(string path, JsonTypeInfo<ListPage<T>> type, int? limit, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var size = Math.Min(limit ?? PageSize.Max, PageSize.Max);
        var left = limit ?? int.MaxValue;
        string? after = null;
        do
        {
            var page = await Get(Query.Of(path, ("page-size", size.ToString(CultureInfo.InvariantCulture)), ("after", after)), type, cancellation).ConfigureAwait(false);
            foreach (var item in page.Items.Take(left))
                yield return item;
            left -= page.Items.Count;
            after = page.Next;
        }
        while (after is not null && left > 0);
    }

    public void Dispose() => _http.Dispose();

    private async Task Accepted(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var response = await Sent(request, cancellation).ConfigureAwait(false);
        await Check(response, cancellation).ConfigureAwait(false);
    }

    private async Task<T> Answered<T>(HttpRequestMessage request, JsonTypeInfo<T> answer, CancellationToken cancellation)
    {
        using var response = await Sent(request, cancellation).ConfigureAwait(false);
        return await Read(response, answer, cancellation).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> Sent(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        return await Sent(request, patience, cancellation).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> Sent(
        HttpRequestMessage request, CancellationTokenSource patience, CancellationToken cancellation, TimeSpan? within = null, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        var limit = within ?? CallTimeout;
        patience.CancelAfter(limit);
        try
        {
            using (request)
                return await _http.SendAsync(request, until, patience.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException fault) when (fault.InnerException is AuthenticationException && _server.Problem is { } problem)
        {
            throw new CommandFailure($"{_settings.Url.Authority} is not to be trusted: {problem}. Check the address, or take the token from this headquarters' admin.token");
        }
        catch (HttpRequestException fault)
        {
            throw new CommandFailure($"headquarters can't be reached at {_settings.Url.Authority}: {Innermost(fault).Message}. Is it running, and is the address right?");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandFailure($"headquarters at {_settings.Url.Authority} did not answer in {limit.TotalSeconds:0} s; look at its log");
        }
    }

    private static async Task<T> Read<T>(HttpResponseMessage response, JsonTypeInfo<T> answer, CancellationToken cancellation)
    {
        await Check(response, cancellation).ConfigureAwait(false);
        try
        {
            return await response.Content.ReadFromJsonAsync(answer, cancellation).ConfigureAwait(false)
                ?? throw new CommandFailure("headquarters answered nothing; look at its log");
        }
        catch (JsonException fault)
        {
            throw new CommandFailure($"headquarters answered what this version of fleet can't read ({fault.Message}); use the version that came with it");
        }
    }

    private static async Task Check(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.IsSuccessStatusCode)
            return;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            throw new CommandFailure("headquarters does not know this token; take the one in admin.token in its data directory");
        throw new CommandFailure(await Problem(response, cancellation).ConfigureAwait(false));
    }

    private static async Task<string> Problem(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync(ApiJson.Default.ProblemResource, cancellation).ConfigureAwait(false);
            if (problem is { Detail: { Length: > 0 } detail })
                return problem.Code is { } code ? $"{detail} ({code})" : detail;
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            // Not a problem document: the status alone says what happened.
        }

        return $"headquarters answered {(int)response.StatusCode} {response.ReasonPhrase}; look at its log";
    }

    private static Exception Innermost(Exception fault) => fault.InnerException is { } inner ? Innermost(inner) : fault;
}
