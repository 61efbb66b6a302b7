using System.Net;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Fleet.Updates.Tests.Tuf.Client;

public sealed class HttpSourceTests : IAsyncLifetime
{
    private readonly WebApplication _server;

    public HttpSourceTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.Run(Answer);
    }

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_file_is_read()
    {
        Assert.Equal("/repo/metadata/1.a%2Fb%3F.json", await Read("1.a%2Fb%3F.json"));
    }

    [Theory, InlineData("404"), InlineData("403")]
    public async Task What_is_not_there_is_null(string path)
    {
        Assert.Null(await Read(path));
    }

    [Theory, InlineData("500"), InlineData("429"), InlineData("206"), InlineData("204")]
    public async Task Attack_21_any_other_answer_is_a_fault_of_the_source(string path)
    {
        var refusal = await Assert.ThrowsAsync<TufException>(() => Read(path));

        Assert.Equal(TufFault.Unavailable, refusal.Fault);
        Assert.Contains($"answered {path}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("301"), InlineData("302"), InlineData("307")]
    public async Task Attack_18_a_redirect_is_not_followed(string path)
    {
        Assert.Equal(TufFault.Unavailable, (await Assert.ThrowsAsync<TufException>(() => Read(path))).Fault);
    }

    [Fact]
    public async Task Attack_09_a_body_shorter_than_it_says_is_a_fault_of_the_source()
    {
        Assert.Equal(TufFault.Unavailable, (await Assert.ThrowsAsync<TufException>(() => Read("short"))).Fault);
    }

    [Fact]
    public async Task Attack_21_a_source_that_is_down_is_told_by_its_address()
    {
        await _server.StopAsync();

        var refusal = await Assert.ThrowsAsync<TufException>(() => Read("file"));

        Assert.Equal(TufFault.Unavailable, refusal.Fault);
        Assert.Contains("127.0.0.1", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task Answer(HttpContext context)
    {
        var name = context.Request.Path.Value!.Split('/')[^1];
        if (int.TryParse(name, out var status))
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/repo/metadata/file";
        }
        else if (name == "short")
        {
            context.Response.ContentLength = 10;
            await context.Response.WriteAsync("short");
            context.Abort();
        }
        else
        {
            await context.Response.WriteAsync(context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget);
        }
    }

    private async Task<string?> Read(string path)
    {
        using var source = new HttpSource(new Uri($"{_server.Urls.First()}/repo/metadata/"));
        var bytes = await new Transfer(Pace.Default, TimeProvider.System).ReadAsync(source, path, 1000, CancellationToken.None);
        return bytes is null ? null : System.Text.Encoding.UTF8.GetString(bytes);
    }
}
