using System.Collections.Concurrent;
using System.Security.Cryptography;
using Fleet.Contracts.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Fleet.Cli.Tests.Updates;

public sealed class UpdatePublishTests : IAsyncLifetime
{
    private readonly TestTerminal _terminal = new();
    private readonly ConcurrentDictionary<string, byte[]> _content = new();
    private readonly List<string> _ranges = [];
    private FakeApi _api = null!;
    private NewUpdate? _published;
    private Queue<VendorPublished> _vendorAnswers = new();

    private string Folder => Path.Combine(_terminal.Home, "build");

    public async Task InitializeAsync()
    {
        _api = await FakeApi.Start(host =>
        {
            host.MapPost("/api/v1/updates/missing", IReadOnlyList<MissingContent> (NewUpdate update) => [.. update.Files
                .Select(f => f.Sha256).Distinct().Where(s => !Whole(s)).Select(s => new MissingContent(s, _content.GetValueOrDefault(s, []).Length))]);
            host.MapPut("/api/v1/content/{sha256}", async (string sha256, HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                _ranges.Add(request.Headers.ContentRange.ToString());
                _content.AddOrUpdate(sha256, _ => body.ToArray(), (_, part) => [.. part, .. body.ToArray()]);
                return Whole(sha256) ? Results.NoContent() : Results.Json(new ProblemResource(null, null, 400, "not the content that its name says", "Invalid"), ApiJson.Default.ProblemResource, "application/problem+json", 400);
            });
            host.MapPost("/api/v1/vendors/acme/publish", (VendorUpdate _) => _vendorAnswers.Dequeue());
            host.MapPost("/api/v1/updates", (NewUpdate update) =>
            {
                var changed = _published is null;
                _published = update;
                return new UpdatePublished(new UpdateResource(update.Name, update.Version, update.Kind, update.Files.Count, update.Files.Sum(f => _content[f.Sha256].LongLength), DateTimeOffset.UnixEpoch, "m"), changed);
            });
        });
        _terminal.With("FLEET_URL", _api.Url).With("FLEET_TOKEN", FakeApi.Token.ToText());
        Directory.CreateDirectory(Path.Combine(Folder, "bin"));
        await File.WriteAllTextAsync(Path.Combine(Folder, "bin", "till"), "the program");
        await File.WriteAllTextAsync(Path.Combine(Folder, "notes.txt"), "notes");
        await File.WriteAllTextAsync(Path.Combine(Folder, "copy.txt"), "notes");
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Directory.EnumerateFiles(Folder))
            File.SetUnixFileMode(file, (UnixFileMode)0b110_100_100);
        File.SetUnixFileMode(Path.Combine(Folder, "bin", "till"), (UnixFileMode)0b111_101_101);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        _terminal.Dispose();
    }

    [SkippableFact]
    public async Task A_folder_is_taken_whole_and_each_content_is_sent_once()
    {
        Skip.If(OperatingSystem.IsWindows(), "no permission bits");

        var ran = (await Publish("1.4.0", Folder)).Done();

        Assert.Equal([("bin/till", "755"), ("copy.txt", "644"), ("notes.txt", "644")], _published!.Files.Select(f => (f.Path, f.Mode)));
        Assert.Equal(("tills", "1.4.0", "archive", 2), (_published.Name, _published.Version, _published.Kind, _content.Count));
        Assert.Equal("published tills 1.4.0: 3 files, 21 B; 16 B uploaded, 5 B need not be\n", ran.Out);
    }

    [Fact]
    public async Task What_headquarters_has_is_not_sent_again()
    {
        (await Publish("1.4.0", Folder)).Done();
        _ranges.Clear();

        var ran = (await Publish("1.4.0", Folder, "--json")).Json();

        Assert.Empty(_ranges);
        Assert.Equal((false, 0, 21), (ran.GetProperty("changed").GetBoolean(), ran.GetProperty("uploadedBytes").GetInt32(), ran.GetProperty("savedBytes").GetInt32()));
    }

    [Fact]
    public async Task An_upload_goes_on_where_it_was_cut()
    {
        _content[Sha("the program")] = [.. "the pro"u8];

        var ran = (await Publish("1.4.0", Path.Combine(Folder, "bin"), "--json")).Json();

        Assert.Equal(["bytes 7-10/11"], _ranges);
        Assert.Equal((4, 7), (ran.GetProperty("uploadedBytes").GetInt32(), ran.GetProperty("savedBytes").GetInt32()));
    }

    [Fact]
    public async Task A_refused_upload_ends_it_before_anything_is_published()
    {
        _content[Sha("the program")] = [.. "other"u8];

        var ran = await Publish("1.4.0", Folder);

        Assert.Equal((ExitCode.Failed, null), (ran.Code, _published));
        Assert.Contains("not the content that its name says (Invalid)", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_plain_file_is_refused_by_its_name()
    {
        var link = Path.Combine(Folder, "bin", "link");
        File.CreateSymbolicLink(link, Path.Combine(Folder, "notes.txt"));

        Assert.Contains("link is a link", (await Publish("1", Folder)).Error, StringComparison.Ordinal);
        Assert.Contains("link is a link", (await Publish("1", link)).Error, StringComparison.Ordinal);
        Assert.Contains("there is no file or folder", (await Publish("1", Path.Combine(Folder, "absent"))).Error, StringComparison.Ordinal);
        File.Delete(link);
        Assert.Contains("both be 'notes.txt'", (await Publish("1", Folder, Path.Combine(Folder, "notes.txt"))).Error, StringComparison.Ordinal);
        Assert.Empty(_api.Asked);
    }

    [Fact]
    public async Task From_a_vendor_it_is_waited_for_until_headquarters_has_all_of_it()
    {
        _vendorAnswers = new Queue<VendorPublished>([new(null, 3, 10), new(null, 7, 10), new(new UpdatePublished(new UpdateResource("acme-scale", "3", "archive", 1, 10, DateTimeOffset.UnixEpoch, "m"), Changed: true), 10, 10)]);

        var ran = (await _terminal.Run("update", "publish", "acme-scale", "--version", "3", "--vendor", "acme", "--json")).Json();

        Assert.Empty(_vendorAnswers);
        Assert.Equal(("acme", true), (ran.GetProperty("vendor").GetString(), ran.GetProperty("changed").GetBoolean()));
    }

    private static string Sha(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private bool Whole(string sha256) => _content.TryGetValue(sha256, out var content) && Convert.ToHexStringLower(SHA256.HashData(content)) == sha256;

    private Task<Ran> Publish(string version, params string[] rest) => _terminal.Run(["update", "publish", "tills", "--version", version, "--file", .. rest]);
}
