using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/updates</c>, and <c>/api/v1/content</c>, which their files are uploaded to.</summary>
internal static class UpdateEndpoints
{
    /// <summary>The list of a package of as many files as there may be.</summary>
    private const long MaxListBytes = 32 * 1024 * 1024;

    public static void MapUpdates(this IEndpointRouteBuilder api)
    {
        var updates = api.MapGroup("/updates").WithTags("Updates");
        updates.MapGet("", List).WithSummary("Lists the packages that devices may install.");
        updates.MapPost("", Publish).WithMetadata(new RequestSizeLimitAttribute(MaxListBytes)).WithSummary("Publishes a version of a package over content that was uploaded before.");
        updates.MapPost("/missing", Missing).WithMetadata(new RequestSizeLimitAttribute(MaxListBytes)).WithSummary("Checks a publication to come, and says which content must be uploaded before it.");
        updates.MapGet("/counters", Counters).WithSummary("What went through offices' distribution points, by node and package; 'office' and 'package' narrow the list.");
        updates.MapGet("/{name}/{version}", Show).WithSummary("Shows a version of a package and its files.");
        updates.MapDelete("/{name}/{version}", Withdraw).WithSummary("Withdraws a version of a package: no device begins to install it any more, its rollouts are halted, and devices that have it get the version before.");
        // Its length is bounded by the room that there is.
        api.MapPut("/content/{sha256}", Upload).WithTags("Content").WithMetadata(new DisableRequestSizeLimitAttribute())
            .WithSummary("Uploads content by its SHA-256: all of it, or with Content-Range what is missing behind a transfer that was cut.");
    }

    private static Results<Ok<ListPage<UpdateResource>>, ProblemHttpResult> List([AsParameters] PageParameters paging, TenantRepository repository)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        var all = repository.Packages;
        return TypedResults.Ok(new Page<PublishedPackage>([.. all.Skip(page.Skip).Take(page.Take)], all.Count).Shown(page, Of));
    }

    private static async Task<Results<Ok<ListPage<CounterResource>>, ProblemHttpResult>> Counters([AsParameters] PageParameters paging, string? office, string? package, RolloutQueries queries)
    {
        OfficeId? of = null;
        if ((paging.Read(out var page) ?? ApiIds.Optional(office, ApiIds.Read, out of)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Counters(page, of, package)).Shown(page, RolloutResources.Of));
    }

    private static async Task<Results<Ok<UpdatePublished>, ProblemHttpResult>> Publish(NewUpdate update, TenantRepository repository, VendorMirrors vendors, CancellationToken cancellation)
    {
        if (Read(update, repository.Content.Blobs, out var manifest, out var missing) is { } wrong)
            return wrong.Problem();
        // A manifest has the lengths of all its files, so they are here before it is made.
        if (missing.Count > 0)
            return repository.Content.NotHere(manifest)?.Problem() ?? new Refusal(RefusalCode.Busy, "content came just now: publish again").Problem();
        var done = await repository.Publish(manifest, cancellation, hash => vendors.Problem(update.Name, update.Version, hash));
        return done.Refusal is { } refusal ? refusal.Problem() : TypedResults.Ok(new UpdatePublished(Of(done.Package!), done.Changed));
    }

    private static Results<Ok<IReadOnlyList<MissingContent>>, ProblemHttpResult> Missing(NewUpdate update, TenantRepository repository, VendorMirrors vendors)
    {
        if ((Read(update, repository.Content.Blobs, out _, out var missing) ?? vendors.Problem(update.Name, update.Version, manifest: null)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok<IReadOnlyList<MissingContent>>([.. missing.Select(f => f.Content).Distinct().Select(c => new MissingContent(c.Value, repository.Content.Blobs.LengthOfPart(c)))]);
    }

    private static Results<Ok<UpdateDetailResource>, ProblemHttpResult> Show(string name, string version, TenantRepository repository)
    {
        if (repository.Find(name, version) is not { } package)
            return Refusal.NotFound("package", $"{name} {version}").Problem();
        if (repository.Content.ManifestOf(package) is not { } manifest)
            return new Refusal(RefusalCode.NotFound, $"the manifest of {name} {version} is damaged on headquarters' disk: publish the same again").Problem();
        return TypedResults.Ok(new UpdateDetailResource(Of(package),
            [.. manifest.Files.Select(f => new UpdateFileResource(f.Path, Convert.ToString(f.Mode, 8), f.Length, f.Content.Value))]));
    }

    // First no device is told to have it any more: one that was would look for what is not signed.
    private static async Task<Results<NoContent, ProblemHttpResult>> Withdraw(string name, string version, TenantRepository repository, Owners owners, CancellationToken cancellation)
    {
        if (repository.Find(name, version) is null)
            return Refusal.NotFound("package", $"{name} {version}").Problem();
        if ((await owners.Ask(new WithdrawVersion(name, version, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        return await repository.Withdraw(name, version, cancellation) is { } wrong ? wrong.Problem() : TypedResults.NoContent();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Upload(string sha256, HttpRequest request, TenantRepository repository, CancellationToken cancellation)
    {
        if (Read(sha256, out var hash) is { } wrong)
            return wrong.Problem();
        if (Read(request, out var from, out var length) is { } incomplete)
            return incomplete.Problem();
        return await repository.Content.Take(hash, request.Body, from, length, cancellation) is { } refusal ? refusal.Problem() : TypedResults.NoContent();
    }

    /// <summary>A package of that name could not be shown.</summary>
    public static Refusal Hidden => Refusal.Invalid($"'{DownloadEndpoints.Path}' is where download tasks are listed; give the package another name");

    public static UpdateResource Of(PublishedPackage p) => new(p.Name, p.Version, p.Kind.Name(), p.Files, p.Length, p.PublishedAt, p.Manifest.Value);

    /// <summary>The manifest of what is to be published; content that is not here has no length in it.</summary>
    private static Refusal? Read(NewUpdate update, BlobStore content, out PackageManifest manifest, out IReadOnlyList<PackageFile> missing)
    {
        var files = new List<PackageFile>();
        manifest = new PackageManifest(update.Name, update.Version, default, files);
        missing = [];
        if (PackageTarget.Problem(update.Name, update.Version) is { } misnamed)
            return Refusal.Invalid(misnamed);
        if (update.Name == DownloadEndpoints.Path)
            return Hidden;
        if (InstallKinds.Named(update.Kind) is not { } kind)
            return Refusal.Invalid($"kind must be {string.Join(", ", Enum.GetValues<InstallKind>().Select(k => k.Name()))}, not '{update.Kind}'");
        foreach (var file in update.Files)
        {
            if (Read(file.Sha256, out var hash) is { } wrong)
                return wrong;
            if (!IsOctal(file.Mode))
                return Refusal.Invalid($"the mode of '{file.Path}' must be octal digits, such as 644, not '{file.Mode}'");
            files.Add(new PackageFile(file.Path, Convert.ToInt32(file.Mode, 8), content.LengthOf(hash) ?? 0, hash));
        }

        manifest = manifest with { Kind = kind };
        missing = [.. files.Where(f => !content.Contains(f.Content))];
        return manifest.Problem() is { } problem ? Refusal.Invalid(problem) : null;
    }

    private static bool IsOctal(string mode) => mode.Length is >= 1 and <= 4 && mode.All(c => c is >= '0' and <= '7');

    private static Refusal? Read(string sha256, out BlobHash hash)
    {
        hash = BlobHash.Parse(sha256) ?? default;
        return hash == default ? Refusal.Invalid("a SHA-256 has 64 lower-case hexadecimal digits") : null;
    }

    /// <summary>Which part of the whole the body is (RFC 9110, 14.5); without a range it is all of it.</summary>
    private static Refusal? Read(HttpRequest request, out long from, out long length)
    {
        (from, length) = (0, request.ContentLength ?? -1);
        if (length < 0)
            return Refusal.Invalid("Content-Length is missing");
        if (request.Headers.ContentRange.Count == 0)
            return null;
        if (!ContentRangeHeaderValue.TryParse(request.Headers.ContentRange.ToString(), out var range) || range is not { Unit.Value: "bytes", From: { } begin, Length: { } whole } || begin + length != whole)
            return Refusal.Invalid(string.Create(CultureInfo.InvariantCulture, $"Content-Range must be 'bytes FIRST-LAST/WHOLE' and reach to the end, with the {length} bytes of the body in it"));
        (from, length) = (begin, whole);
        return null;
    }
}
