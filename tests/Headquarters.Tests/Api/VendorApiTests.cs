using System.Net;
using System.Net.Http.Json;
using System.Text;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Headquarters.Tests.Api;

public sealed class VendorApiTests(TestFaces faces) : IClassFixture<TestFaces>, IDisposable
{
    private static readonly byte[] Program = Encoding.ASCII.GetBytes("program of the scale");
    private readonly string _folder = Directory.CreateTempSubdirectory("fleet-vendor-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_vendor_is_added_listed_shown_and_removed()
    {
        var vendor = await Vendor("one");
        await vendor.Publish("one-scale", "1", InstallKind.Archive, ("scale", Program));

        var added = await Put("one", vendor, ["one-*"]);
        var shown = await faces.Get("/api/v1/vendors/one", ApiJson.Default.VendorDetailResource);

        Assert.Equal(("one", vendor.Folder, (long)vendor.Timestamp, null), (added.Name, added.Source, added.Timestamp, added.Problem));
        Assert.Equal([("one-scale", "1", false)], shown.Lists.Select(p => (p.Name, p.Version, p.Published)));
        Assert.Contains((await faces.Get("/api/v1/vendors", ApiJson.Default.ListPageVendorResource)).Items, v => v.Name == "one");
        using var removed = await faces.Api.DeleteAsync("/api/v1/vendors/one");
        using var gone = await faces.Api.GetAsync("/api/v1/vendors/one");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed.StatusCode, gone.StatusCode));
        Assert.Null(faces.Vendors.Metadata("one", "timestamp.json"));
    }

    [Fact]
    public async Task A_root_that_is_none_or_of_another_repository_is_refused_and_nothing_is_changed()
    {
        var (vendor, other) = (await Vendor("two"), await Vendor("others"));

        using var none = await Send("two", new VendorContent([.. "no root"u8], ["two-*"], vendor.Folder));
        using var unsigned = await Send("two", new VendorContent(Unsigned(vendor.FirstRoot), ["two-*"], vendor.Folder));
        using var anothers = await Send("two", new VendorContent(other.FirstRoot, ["two-*"], vendor.Folder));
        using var nowhere = await Send("two", new VendorContent(vendor.FirstRoot, ["two-*"], Path.Combine(_folder, "nowhere")));

        Assert.Contains("this is no root to begin with", (await TestFaces.Problem(none)).Detail, StringComparison.Ordinal);
        Assert.Contains("this is no root to begin with", (await TestFaces.Problem(unsigned)).Detail, StringComparison.Ordinal);
        Assert.Contains("can't be read and verified by this root", (await TestFaces.Problem(anothers)).Detail, StringComparison.Ordinal);
        Assert.Contains("there is no folder", (await TestFaces.Problem(nowhere)).Detail, StringComparison.Ordinal);
        using var gone = await faces.Api.GetAsync("/api/v1/vendors/two");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task What_a_vendor_lists_is_published_with_the_very_manifest_that_it_signed()
    {
        var vendor = await Vendor("three");
        await Put("three", vendor, ["three-*"]);
        // After headquarters last looked.
        var manifest = await vendor.Publish("three-scale", "1", InstallKind.Archive, ("scale", Program), ("notes", [.. "notes"u8]));

        var published = await Publish("three", "three-scale", "1");
        var again = await Publish("three", "three-scale", "1");

        Assert.Equal((manifest.Value, true, false, 2), (published.Update.Manifest, published.Changed, again.Changed, published.Update.Files));
        Assert.Equal(Program, faces.Updates.Content.Blobs.ReadAll(BlobHash.Over(Program), 1000));
        Assert.True(Assert.Single((await faces.Get("/api/v1/vendors/three", ApiJson.Default.VendorDetailResource)).Lists).Published);
    }

    [Fact]
    public async Task What_a_vendor_does_not_list_or_does_not_cover_is_not_published_from_it()
    {
        var vendor = await Vendor("four");
        await vendor.Publish("other", "1", InstallKind.Archive, ("scale", Program));
        await Put("four", vendor, ["four-*"]);

        using var unlisted = await PublishFrom("four", "four-scale", "1");
        using var uncovered = await PublishFrom("four", "other", "1");
        using var unknown = await PublishFrom("fuor", "four-scale", "1");

        Assert.Contains("vendor four does not list packages/four-scale/1.json", (await TestFaces.Problem(unlisted)).Detail, StringComparison.Ordinal);
        Assert.Contains("vendor four covers four-*, and 'other' is none of these", (await TestFaces.Problem(uncovered)).Detail, StringComparison.Ordinal);
        Assert.Contains("did you mean four?", (await TestFaces.Problem(unknown)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vendor_whose_content_is_not_what_it_signed_publishes_nothing()
    {
        var vendor = await Vendor("five");
        await vendor.Publish("five-scale", "1", InstallKind.Archive, ("scale", [.. "what was signed"u8]));
        File.WriteAllText(vendor.PathOf(BlobHash.Over("what was signed"u8)), "what is served!");
        await Put("five", vendor, ["five-*"]);

        using var lied = await PublishFrom("five", "five-scale", "1");

        Assert.Contains("could not be brought from vendor five", (await TestFaces.Problem(lied)).Detail, StringComparison.Ordinal);
        Assert.Null(faces.Updates.Find("five-scale", "1"));
    }

    [Fact]
    public async Task Own_files_are_published_under_a_vendors_name_only_where_it_lists_the_same()
    {
        var vendor = await Vendor("six");
        await vendor.Publish("six-scale", "1", InstallKind.Archive, ("scale", Program));
        await Put("six", vendor, ["six-*"]);
        using var uploaded = await faces.Api.PutAsync($"/api/v1/content/{BlobHash.Over(Program)}", new ByteArrayContent(Program));

        using var before = await faces.Api.PostAsJsonAsync("/api/v1/updates/missing", Own("six-scale", "2", "755"), ApiJson.Default.NewUpdate);
        using var unlisted = await faces.Api.PostAsJsonAsync("/api/v1/updates", Own("six-scale", "2", "755"), ApiJson.Default.NewUpdate);
        using var different = await faces.Api.PostAsJsonAsync("/api/v1/updates", Own("six-scale", "1", "644"), ApiJson.Default.NewUpdate);
        using var same = await faces.Api.PostAsJsonAsync("/api/v1/updates", Own("six-scale", "1", "755"), ApiJson.Default.NewUpdate);

        Assert.Contains("'six-scale' is a package of vendor six (six-*), which does not list version 2", (await TestFaces.Problem(before)).Detail, StringComparison.Ordinal);
        Assert.Contains("fleet update publish six-scale --version 2 --vendor six", (await TestFaces.Problem(unlisted)).Detail, StringComparison.Ordinal);
        Assert.Contains("with another manifest", (await TestFaces.Problem(different)).Detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
    }

    [Fact]
    public async Task A_vendor_that_is_out_of_reach_leaves_what_it_listed_last()
    {
        var vendor = await Vendor("seven");
        await vendor.Publish("seven-scale", "1", InstallKind.Archive, ("scale", Program));
        await Put("seven", vendor, ["seven-*"]);
        var timestamp = (long)vendor.Timestamp;
        Directory.Move(vendor.Folder, vendor.Folder + ".away");

        using var refused = await faces.Api.PostAsync("/api/v1/vendors/seven/refresh", null);

        Assert.Contains("there is no folder", (await TestFaces.Problem(refused)).Detail, StringComparison.Ordinal);
        var shown = await faces.Get("/api/v1/vendors/seven", ApiJson.Default.VendorDetailResource);
        Assert.Contains("there is no folder", shown.Vendor.Problem, StringComparison.Ordinal);
        Assert.Equal(timestamp, shown.Vendor.Timestamp);
        Assert.NotNull(faces.Vendors.Metadata("seven", "timestamp.json"));
        Directory.Move(vendor.Folder + ".away", vendor.Folder);
        using var read = await faces.Api.PostAsync("/api/v1/vendors/seven/refresh", null);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    private static byte[] Unsigned(byte[] root) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(root).Replace("\"threshold\":1", "\"threshold\":2", StringComparison.Ordinal));

    private static NewUpdate Own(string name, string version, string mode) => new(name, version, "archive", [new("scale", mode, BlobHash.Over(Program).Value)]);

    private Task<FolderRepository> Vendor(string name) => Task.FromResult(new FolderRepository(Path.Combine(_folder, name)));

    private Task<HttpResponseMessage> Send(string name, VendorContent content) => faces.Api.PutAsJsonAsync($"/api/v1/vendors/{name}", content, ApiJson.Default.VendorContent);

    private async Task<VendorResource> Put(string name, FolderRepository vendor, IReadOnlyList<string> packages)
    {
        using var response = await Send(name, new VendorContent(vendor.FirstRoot, packages, vendor.Folder));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(ApiJson.Default.VendorResource))!;
    }

    private Task<HttpResponseMessage> PublishFrom(string vendor, string name, string version) =>
        faces.Api.PostAsJsonAsync($"/api/v1/vendors/{vendor}/publish", new VendorUpdate(name, version), ApiJson.Default.VendorUpdate);

    private async Task<UpdatePublished> Publish(string vendor, string name, string version) =>
        (await faces.Post($"/api/v1/vendors/{vendor}/publish", new VendorUpdate(name, version), ApiJson.Default.VendorUpdate, ApiJson.Default.VendorPublished)).Published!;
}
