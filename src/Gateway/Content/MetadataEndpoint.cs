using Fleet.Updates.Content;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Fleet.Gateway.Content;

/// <summary>A TUF repository as its clients read it: <c>/metadata/NAME</c>, and <c>/targets/PATH</c> by the content's hash, which the last segment begins with.</summary>
/// <param name="metadata">A file as it is served; null: there is none of that name.</param>
public sealed class MetadataEndpoint(Func<string, CancellationToken, Task<byte[]?>> metadata, ContentEndpoint content)
{
    private const string TimestampFile = "timestamp.json";

    /// <summary>A numbered version never changes.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    public void Map(IEndpointRouteBuilder host)
    {
        content.Map(host);
        host.MapMethods("/targets/{**path}", [HttpMethods.Get, HttpMethods.Head], (HttpContext http, string path) => content.Serve(http, path[(path.LastIndexOf('/') + 1)..].Split('.')[0]));
        host.MapMethods("/metadata/{name}", [HttpMethods.Get, HttpMethods.Head], Serve);
    }

    private async Task<Results<FileContentHttpResult, NotFound>> Serve(string name, HttpResponse response, CancellationToken cancellation)
    {
        if (await metadata(name, cancellation) is not { } bytes)
            return TypedResults.NotFound();
        response.Headers.CacheControl = name == TimestampFile ? "no-cache" : Immutable;
        return TypedResults.Bytes(bytes, "application/json", entityTag: new EntityTagHeaderValue($"\"{BlobHash.Over(bytes)}\""));
    }
}
