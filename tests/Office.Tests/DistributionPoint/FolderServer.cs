using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Fleet.Office.Tests.DistributionPoint;

/// <summary>Serves what a folder has.</summary>
internal sealed class FolderServer : IAsyncDisposable
{
    private readonly WebApplication _host;

    private FolderServer(WebApplication host) => _host = host;

    public string Url => LoopbackHost.UrlOf(_host);

    /// <param name="listen">Null: in the clear.</param>
    /// <param name="authorization">Who shows another is not let in; null: everybody is.</param>
    public static async Task<FolderServer> Start(string folder, Action<ListenOptions>? listen = null, string? authorization = null) =>
        new(await LoopbackHost.Start(listen ?? (_ => { }), host => host.Run(async http =>
        {
            var file = Path.Combine(folder, http.Request.Path.Value!.TrimStart('/'));
            http.Response.StatusCode = authorization is not null && http.Request.Headers.Authorization != authorization ? StatusCodes.Status401Unauthorized
                : File.Exists(file) ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            if (http.Response.StatusCode == StatusCodes.Status200OK)
                await http.Response.Body.WriteAsync(await File.ReadAllBytesAsync(file));
        })));

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
