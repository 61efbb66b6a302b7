using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.Updates.Content;

namespace Fleet.Headquarters.Tests.Api;

public sealed class UpdateApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task A_package_is_uploaded_published_shown_and_withdrawn()
    {
        var (program, notes) = (Encoding.ASCII.GetBytes("program of till"), Encoding.ASCII.GetBytes("notes of till"));
        var update = new NewUpdate("till", "1.0", "archive", [new("bin/till", "755", Sha(program)), new("notes.txt", "644", Sha(notes))]);

        Assert.Equal([Sha(program), Sha(notes)], (await Missing(update)).Select(m => m.Sha256));
        await Upload(program);
        await Upload(notes);
        Assert.Empty(await Missing(update));
        var published = await Publish(update);
        var again = await Publish(update);

        Assert.Equal((true, false, 2, 28L), (published.Changed, again.Changed, published.Update.Files, published.Update.Length));
        var shown = await faces.Get("/api/v1/updates/till/1.0", ApiJson.Default.UpdateDetailResource);
        Assert.Equal([new("bin/till", "755", 15, Sha(program)), new("notes.txt", "644", 13, Sha(notes))], shown.Files);
        Assert.Contains(shown.Update, (await faces.Get("/api/v1/updates", ApiJson.Default.ListPageUpdateResource)).Items);
        using var withdrawn = await faces.Api.DeleteAsync("/api/v1/updates/till/1.0");
        using var gone = await faces.Api.GetAsync("/api/v1/updates/till/1.0");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (withdrawn.StatusCode, gone.StatusCode));
    }

    [Fact]
    public async Task The_list_comes_in_pages()
    {
        var content = Encoding.ASCII.GetBytes("paged");
        await Upload(content);
        foreach (var version in (string[])["1", "2", "3"])
            await Publish(new NewUpdate("paged", version, "script", [new("run", "755", Sha(content))]));

        var first = await faces.Get("/api/v1/updates?page-size=2", ApiJson.Default.ListPageUpdateResource);
        var second = await faces.Get($"/api/v1/updates?page-size=2&after={first.Next}", ApiJson.Default.ListPageUpdateResource);

        Assert.Equal(2, first.Items.Count);
        Assert.DoesNotContain(second.Items, first.Items.Contains);
    }

    [Fact]
    public async Task A_transfer_that_was_cut_goes_on_by_a_content_range()
    {
        var content = Encoding.ASCII.GetBytes("content that comes in two pieces");
        var update = new NewUpdate("pieces", "1.0", "archive", [new("piece", "644", Sha(content))]);
        Assert.NotNull(await faces.Updates.Content.Take(BlobHash.Over(content), new MemoryStream(content[..10]), 0, content.Length, default));

        var missing = Assert.Single(await Missing(update));
        using var body = new ByteArrayContent(content[10..]) { Headers = { ContentRange = new ContentRangeHeaderValue(10, content.Length - 1, content.Length) } };
        using var response = await faces.Api.PutAsync($"/api/v1/content/{Sha(content)}", body);

        Assert.Equal((10L, HttpStatusCode.NoContent), (missing.Have, response.StatusCode));
        Assert.Empty(await Missing(update));
    }

    [Fact]
    public async Task A_transfer_that_was_cut_may_be_sent_whole_again()
    {
        byte[] content = [.. Enumerable.Range(0, 250_000).Select(i => (byte)(i * 7))];
        Assert.NotNull(await faces.Updates.Content.Take(BlobHash.Over(content), new MemoryStream(content[..150_000]), 0, content.Length, default));

        await Upload(content);

        Assert.Equal(content.Length, faces.Updates.Content.Blobs.LengthOf(BlobHash.Over(content)));
    }

    [Fact]
    public async Task Content_of_another_hash_is_refused()
    {
        using var response = await faces.Api.PutAsync($"/api/v1/content/{Sha("one"u8)}", new ByteArrayContent([.. "other"u8]));

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.BadRequest, nameof(RefusalCode.Invalid)), (problem.Status, problem.Code));
        Assert.Contains("Hash the file anew", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_that_there_is_no_room_for_is_refused_before_it_is_sent()
    {
        var large = new byte[TestFaces.Quota + 1];
        using var response = await faces.Api.PutAsync($"/api/v1/content/{Sha(large)}", new ByteArrayContent(large));

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, nameof(RefusalCode.TooLarge)), (problem.Status, problem.Code));
        Assert.Contains("Raise the quota", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPPER", "1.0", "archive", "a", "644", "name")]
    [InlineData("app", "../1", "archive", "a", "644", "a version has")]
    [InlineData("app", "1.0", "magic", "a", "644", "archive")]
    [InlineData("app", "1.0", "archive", "../../etc/passwd", "644", "leads elsewhere")]
    [InlineData("app", "1.0", "archive", "/etc/passwd", "644", "leads elsewhere")]
    [InlineData("app", "1.0", "archive", "con.txt", "644", "Windows")]
    [InlineData("app", "1.0", "archive", "a", "4755", "mode")]
    [InlineData("app", "1.0", "archive", "a", "rwx", "octal")]
    public async Task What_no_device_would_install_is_refused_before_anything_is_uploaded(string name, string version, string kind, string path, string mode, string why)
    {
        var update = new NewUpdate(name, version, kind, [new(path, mode, Sha("never uploaded"u8))]);

        foreach (var address in (string[])["/api/v1/updates", "/api/v1/updates/missing"])
        {
            using var response = await faces.Api.PostAsJsonAsync(address, update, ApiJson.Default.NewUpdate);
            var problem = await TestFaces.Problem(response);
            Assert.Equal((HttpStatusCode.BadRequest, nameof(RefusalCode.Invalid)), (problem.Status, problem.Code));
            Assert.Contains(why, problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_publication_without_its_content_is_refused_and_says_what_to_upload()
    {
        using var response = await faces.Api.PostAsJsonAsync("/api/v1/updates", new NewUpdate("app", "1.0", "archive", [new("a", "644", Sha("absent"u8))]), ApiJson.Default.NewUpdate);

        var problem = await TestFaces.Problem(response);
        Assert.Equal(HttpStatusCode.NotFound, problem.Status);
        Assert.Contains(Sha("absent"u8), problem.Detail, StringComparison.Ordinal);
        Assert.Contains("/api/v1/content", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_with_other_content_is_refused()
    {
        await Upload([.. "first"u8]);
        await Upload([.. "second"u8]);
        await Publish(new NewUpdate("fixed", "1.0", "archive", [new("a", "644", Sha("first"u8))]));

        using var response = await faces.Api.PostAsJsonAsync("/api/v1/updates", new NewUpdate("fixed", "1.0", "archive", [new("a", "644", Sha("second"u8))]), ApiJson.Default.NewUpdate);

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.Conflict, nameof(RefusalCode.AlreadyExists)), (problem.Status, problem.Code));
        Assert.Contains("another version", problem.Detail, StringComparison.Ordinal);
    }

    private static string Sha(ReadOnlySpan<byte> content) => BlobHash.Over(content).Value;

    private async Task Upload(byte[] content)
    {
        using var response = await faces.Api.PutAsync($"/api/v1/content/{Sha(content)}", new ByteArrayContent(content));
        Assert.True(response.StatusCode == HttpStatusCode.NoContent, await response.Content.ReadAsStringAsync());
    }

    private Task<UpdatePublished> Publish(NewUpdate update) => faces.Post("/api/v1/updates", update, ApiJson.Default.NewUpdate, ApiJson.Default.UpdatePublished);

    private Task<IReadOnlyList<MissingContent>> Missing(NewUpdate update) =>
        faces.Post("/api/v1/updates/missing", update, ApiJson.Default.NewUpdate, ApiJson.Default.IReadOnlyListMissingContent);
}
