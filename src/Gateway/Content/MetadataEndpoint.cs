using Fleet.Updates.Content;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Fleet.Gateway.Content;

/// <summary>A TUF repository as its clients read it: <c>/metadata/NAME</c>, and <c>/targets/PATH</c> by the content's hash, which the last segment begins with.</summary>
/// <param name="metadata">A file as it is served; null: there is none of that name.</param>
/// <param name="vendors">The same of a vendor's repository, by the vendor's name: <c>/vendors/VENDOR/metadata/NAME</c>.</param>
public sealed class MetadataEndpoint(Func<string, CancellationToken, Task<byte[]?>> metadata, Func<string, string, byte[]?> vendors, ContentEndpoint content)
{
    private const string TimestampFile = "timestamp.json";

    /// <summary>A numbered version never changes.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    public void Map(IEndpointRouteBuilder host)
    {
        content.Map(host);
        host.MapMethods("/targets/{**path}", [HttpMethods.Get, HttpMethods.Head], (HttpContext http, string path) => content.Serve(http, path[(path.LastIndexOf('/') + 1)..].Split('.')[0]));
        host.MapMethods("/metadata/{name}", [HttpMethods.Get, HttpMethods.Head], async (string name, HttpResponse response, CancellationToken cancellation) => Answer(name, await metadata(name, cancellation), response));
        host.MapMethods("/vendors/{vendor}/metadata/{name}", [HttpMethods.Get, HttpMethods.Head], (string vendor, string name, HttpResponse response) => Answer(name, vendors(vendor, name), response));
    }

    private static Results<FileContentHttpResult, NotFound> Answer(string name, byte[]? bytes, HttpResponse response)
    {
        if (bytes is null)
            return TypedResults.NotFound();
        response.Headers.CacheControl = name == TimestampFile ? "no-cache" : Immutable;
        return TypedResults.Bytes(bytes, "application/json", entityTag: new EntityTagHeaderValue($"\"{BlobHash.Over(bytes)}\""));
    }
}
