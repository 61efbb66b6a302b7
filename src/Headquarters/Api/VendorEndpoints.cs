using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/vendors</c>: who says which packages are genuine.</summary>
internal static class VendorEndpoints
{
    /// <summary>Shorter than any proxy's patience.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(15);

    public static void MapVendors(this IEndpointRouteBuilder api)
    {
        var vendors = api.MapGroup("/vendors").WithTags("Vendors");
        vendors.MapGet("", List).WithSummary("Lists the vendors whose signed repositories say which packages are genuine.");
        vendors.MapGet("/{name}", Show).WithSummary("Shows a vendor and what it lists.");
        vendors.MapPut("/{name}", Put).WithSummary("Adds a vendor, once its repository was read and verified by its root; or changes patterns and source of the one of that name.");
        vendors.MapDelete("/{name}", Remove).WithSummary("Removes a vendor: new devices are not told of it, and devices that saw it hold on to it.");
        vendors.MapPost("/{name}/refresh", Refresh).WithSummary("Reads the vendor's repository anew.");
        vendors.MapPost("/{name}/publish", Publish).WithSummary("Publishes a version of a package as the vendor lists it. Answers after some seconds how far its content is; the same again waits on.");
    }

    private static async Task<Results<Ok<ListPage<VendorResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, VendorQueries queries, VendorMirrors mirrors)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        var all = await queries.All();
        return TypedResults.Ok(new Page<Vendor>([.. all.Skip(page.Skip).Take(page.Take)], all.Count).Shown(page, v => Of(v, mirrors)));
    }

    private static async Task<Results<Ok<VendorDetailResource>, ProblemHttpResult>> Show(string name, VendorQueries queries, VendorMirrors mirrors, TenantRepository repository) =>
        await queries.Vendor(name) is { } found ? TypedResults.Ok(Detail(found, mirrors, repository)) : (await Unknown(name, queries)).Problem();

    private static async Task<Results<Ok<VendorResource>, ProblemHttpResult>> Put(
        string name, VendorContent content, Owners owners, VendorQueries queries, VendorMirrors mirrors, Settled settled, TimeProvider clock, CancellationToken cancellation)
    {
        var wanted = new Vendor(name, content.Root, [.. content.Packages.Distinct().Order(StringComparer.Ordinal)], content.Source);
        if ((VendorRules.Problem(wanted) ?? VendorRules.RootProblem(wanted.Root, clock.GetUtcNow())) is { } wrong)
            return Refusal.Invalid(wrong).Problem();
        // Devices never let go of a root that they saw: it must be the right one.
        if (await mirrors.Try(wanted, cancellation) is { } unverified)
            return new Refusal(RefusalCode.NotAllowed, $"the vendor's repository can't be read and verified by this root, so nothing was changed: {unverified}").Problem();
        if ((await owners.Ask(new PutVendor(wanted, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Vendor(name), v => v is not null && v.Source == wanted.Source && v.Root.Span.SequenceEqual(wanted.Root.Span) && v.Packages.SequenceEqual(wanted.Packages));
        await mirrors.Obey();
        return shown is null ? Refusal.NotFound("vendor", name).Problem() : TypedResults.Ok(Of(shown, mirrors));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, Owners owners, VendorQueries queries, VendorMirrors mirrors, Settled settled)
    {
        if ((await owners.Ask(new RemoveVendor(name, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Vendor(name), v => v is null);
        await mirrors.Obey();
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<VendorDetailResource>, ProblemHttpResult>> Refresh(string name, VendorQueries queries, VendorMirrors mirrors, TenantRepository repository, CancellationToken cancellation)
    {
        if (await mirrors.Refresh(name, cancellation) is { } refusal)
            return refusal.Problem();
        return await queries.Vendor(name) is { } found ? TypedResults.Ok(Detail(found, mirrors, repository)) : (await Unknown(name, queries)).Problem();
    }

    private static async Task<Results<Ok<VendorPublished>, ProblemHttpResult>> Publish(string name, VendorUpdate update, VendorMirrors mirrors, CancellationToken cancellation)
    {
        if (update.Name == DownloadEndpoints.Path)
            return UpdateEndpoints.Hidden.Problem();
        var done = await mirrors.Publish(name, update.Name, update.Version, AnswerWithin, cancellation);
        if (done.Refusal is { } refusal)
            return refusal.Problem();
        return TypedResults.Ok(new VendorPublished(done.Done is { } published ? new UpdatePublished(UpdateEndpoints.Of(published.Package!), published.Changed) : null, done.Here, done.Total));
    }

    private static VendorResource Of(Vendor vendor, VendorMirrors mirrors)
    {
        var standing = mirrors.StandingOf(vendor.Name) ?? new VendorStanding(0, null, "");
        return new VendorResource(vendor.Name, vendor.Packages, vendor.Source, Convert.ToHexStringLower(SHA256.HashData(vendor.Root.Span)), standing.Timestamp, standing.ReadAt, standing.Problem.Length > 0 ? standing.Problem : null);
    }

    private static VendorDetailResource Detail(Vendor vendor, VendorMirrors mirrors, TenantRepository repository) => new(
        Of(vendor, mirrors),
        [.. mirrors.ListedBy(vendor.Name).Select(p => new VendorPackageResource(p.Name, p.Version, p.Manifest.Value, repository.Find(p.Name, p.Version)?.Manifest == p.Manifest))]);

    private static async Task<Refusal> Unknown(string name, VendorQueries queries) =>
        new(RefusalCode.NotFound, $"there is no vendor '{name}'{NearMiss.Hint(name, (await queries.All()).Select(v => v.Name))}");
}
