using System.Globalization;
using Fleet.Contracts.Storage;
using Fleet.Updates.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Mirroring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Fleet.Gateway.Content;

/// <summary>
/// <c>GET /apt/NAME/…</c>: a signed APT repository, as <c>apt</c> asks for it. Indexes and packages go out as <see cref="ContentEndpoint"/> serves them; what
/// no verified list names is not found.
/// </summary>
public sealed class AptEndpoint(AptMirror mirror, BlobStore store, ContentAdmission admission)
{
    public void Map(IEndpointRouteBuilder host) => host.MapMethods("/apt/{name}/{**path}", [HttpMethods.Get, HttpMethods.Head], Serve);

    private async Task Serve(HttpContext http, string name, string? path)
    {
        if (AptPath.Checked(path ?? "") is not { } safe)
        {
            await Answer(http, StatusCodes.Status404NotFound, $"{name} has no '{path}'");
            return;
        }

        try
        {
            if (SignedRelease.Names(AptPath.FileOf(safe)))
                await ServeRelease(http, name, safe);
            else if (await mirror.Find(name, safe) is { } file)
                await ServeFile(http, file);
            else
                await Answer(http, StatusCodes.Status404NotFound, $"no verified list of APT repository {name} names {safe}");
        }
        catch (AptException fault)
        {
            // A source that fails is not the device's fault, and apt tries again where a gateway has failed.
            await Answer(http, fault.Fault == AptFault.Missing ? StatusCodes.Status404NotFound : StatusCodes.Status502BadGateway, fault.Message);
        }
        catch (StorageException full)
        {
            await Answer(http, StatusCodes.Status507InsufficientStorage, full.Message);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The device waits no longer; what it asked for comes all the same, for its next try.
        }
    }

    private async Task ServeRelease(HttpContext http, string name, string path)
    {
        if (await mirror.Release(name, path, http.RequestAborted) is not { } release)
        {
            await Answer(http, StatusCodes.Status404NotFound, $"APT repository {name} has no {path}");
            return;
        }

        var (request, response) = (http.Request.GetTypedHeaders(), http.Response);
        var tag = new EntityTagHeaderValue($"\"{BlobHash.Over(release.Content)}\"");
        response.Headers.ETag = tag.ToString();
        response.Headers.LastModified = release.Date.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-cache";
        if (release.Stale is { } why)
            response.Headers.Warning = $"110 - \"{OneLine(why)}\"";
        // Equal dates alone: a device may hold a newer one, from another distribution point, and has to see that this one is older.
        if (request.IfNoneMatch.Count > 0 ? request.IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false)) : request.IfModifiedSince == release.Date)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = release.Content.Length;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        await response.Body.WriteAsync(release.Content, http.RequestAborted);
        mirror.CountServed(name, release.Content.Length, hit: true);
    }

    private async Task ServeFile(HttpContext http, AptFile file)
    {
        var hit = await mirror.Bring(file, http.RequestAborted);
        var content = new ContentEndpoint(store, (_, asked) => Again(file, asked.RequestAborted), admission, (_, bytes, _) => mirror.CountServed(file.Repository, bytes, hit))
        {
            // A path's content may be another's tomorrow.
            CacheControl = "no-cache",
        };
        await content.Serve(http, file.Hash.Value);
    }

    private async Task<ContentAnswer> Again(AptFile file, CancellationToken cancellation)
    {
        try
        {
            await mirror.Bring(file, cancellation);
            return ContentAnswer.Here;
        }
        catch (Exception fault) when (fault is IOException or StorageException)
        {
            return ContentAnswer.Unknown;
        }
    }

    private static async Task Answer(HttpContext http, int status, string why)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(why + "\n", http.RequestAborted);
    }

    // Headers hold printable ASCII alone.
    private static string OneLine(string text) => new([.. text.Select(c => c is >= ' ' and <= '~' and not '"' and not '\\' ? c : ' ')]);
}
