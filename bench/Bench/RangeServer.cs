using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Fleet.Bench;

/// <summary>A folder over HTTP with several ranges to an answer (RFC 9110, 14.6), which zsync asks for; counts the bytes of bodies that it sends.</summary>
internal sealed class RangeServer : IAsyncDisposable
{
    private const string Boundary = "fleet-bench-range";

    private readonly WebApplication _app;
    private long _sent;

    private RangeServer(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public long Sent => Interlocked.Read(ref _sent);

    public static async Task<RangeServer> Start(string folder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new RangeServer(builder.Build());
        server._app.Run(context => server.Answer(context, Path.Combine(folder, Path.GetFileName(context.Request.Path.Value!))));
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task Answer(HttpContext context, string path)
    {
        if (!File.Exists(path))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var content = await File.ReadAllBytesAsync(path, context.RequestAborted).ConfigureAwait(false);
        if (!RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var asked))
        {
            await Send(context, content).ConfigureAwait(false);
            return;
        }

        var ranges = asked.Ranges.Select(r => (From: (int)r.From!.Value, To: (int)Math.Min(r.To ?? content.Length - 1, content.Length - 1))).ToList();
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        if (ranges is [var one])
        {
            context.Response.Headers.ContentRange = $"bytes {one.From}-{one.To}/{content.Length}";
            await Send(context, content.AsMemory(one.From, one.To - one.From + 1)).ConfigureAwait(false);
            return;
        }

        using var body = new MemoryStream();
        foreach (var (from, to) in ranges)
        {
            body.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {from}-{to}/{content.Length}\r\n\r\n"));
            body.Write(content, from, to - from + 1);
        }

        body.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));
        context.Response.ContentType = $"multipart/byteranges; boundary={Boundary}";
        await Send(context, body.ToArray()).ConfigureAwait(false);
    }

    private async Task Send(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentLength = body.Length;
        Interlocked.Add(ref _sent, body.Length);
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
