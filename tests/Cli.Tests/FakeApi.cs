using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.Cli.Tests;

/// <summary>A headquarters' REST API that answers what a test wants, under a certificate of its own CA.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly WebApplication _host;

    private FakeApi(WebApplication host) => _host = host;

    public static TestAuthority Authority { get; } = new();

    public static AdminToken Token { get; } = AdminToken.Create(Authority.Pin);

    public string Url => LoopbackHost.UrlOf(_host);

    /// <summary>What was asked, as "METHOD path?query".</summary>
    public List<string> Asked { get; } = [];

    /// <param name="shown">The certificate to show; default: headquarters'.</param>
    public static async Task<FakeApi> Start(Action<WebApplication> map, X509Certificate2? shown = null)
    {
        FakeApi? api = null;
        await LoopbackHost.Start(
            listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(shown ?? Authority.Issue(PeerIdentity.Headquarters));
            },
            host =>
            {
                api = new FakeApi(host);
                host.Use(api.Admit);
                map(host);
            },
            services =>
            {
                services.AddRouting();
                services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
            });
        return api!;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task Admit(HttpContext http, RequestDelegate next)
    {
        lock (Asked)
            Asked.Add($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}");
        if (http.Request.Headers.Authorization == $"Bearer {Token.Bearer}")
            return next(http);
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }
}
