using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Web;

/// <summary>An endless answer of server-sent events (WHATWG HTML, 9.2), written whenever the read model changes and at most twice a second.</summary>
internal sealed class ServerSentEvents
{
    public const string ContentType = "text/event-stream";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>A comment this often keeps proxies and NATs from dropping a quiet stream, and finds browsers that have gone.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly HttpResponse _response;
    private readonly CancellationToken _gone;

    private ServerSentEvents(HttpResponse response, CancellationToken gone) => (_response, _gone) = (response, gone);

    /// <param name="changed">Called at the start and after each change.</param>
    public static async Task Stream(HttpContext http, ReadModelSignal changes, CancellationToken stopping, Func<ServerSentEvents, Task> changed)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        http.Response.ContentType = ContentType;
        http.Response.Headers.CacheControl = "no-store";
        var stream = new ServerSentEvents(http.Response, gone.Token);
        try
        {
            while (true)
            {
                var seen = changes.Count;
                await changed(stream);
                await http.Response.Body.FlushAsync(gone.Token);
                await stream.Next(changes, seen);
                await Task.Delay(Pause, gone.Token);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The browser has gone, or this node stops: either way the stream is over.
        }
    }

    public Task Send(string name) => _response.WriteAsync($"event: {name}\ndata: {{}}\n\n", _gone);

    public Task Send<T>(string name, T data, JsonTypeInfo<T> type, long id) =>
        _response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"id: {id}\nevent: {name}\ndata: {JsonSerializer.Serialize(data, type)}\n\n"), _gone);

    private async Task Next(ReadModelSignal changes, long seen)
    {
        while (true)
        {
            try
            {
                await changes.After(seen).WaitAsync(KeepAlive, _gone);
                return;
            }
            catch (TimeoutException)
            {
                await _response.WriteAsync(": still here\n\n", _gone);
                await _response.Body.FlushAsync(_gone);
            }
        }
    }
}
