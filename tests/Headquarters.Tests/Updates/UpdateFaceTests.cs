using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Content;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Headquarters.Tests.Updates;

/// <summary>The port over real sockets, with the clients that devices and nodes have.</summary>
public sealed class UpdateFaceTests : IAsyncLifetime
{
    private static readonly byte[] Program = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31))];

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-update-face-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];
    private CertificateAuthority _authority = null!;
    private TenantRepository _repository = null!;
    private VendorMirrors _vendors = null!;
    private FolderRepository _acme = null!;
    private ContentListener _face = null!;

    public async Task InitializeAsync()
    {
        _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        _repository = await TenantRepository.Open(Path.Combine(_directory, "updates"), Options(), _authority, TimeProvider.System, NullLoggerFactory.Instance);
        _parts.Add(_repository);
        _acme = new FolderRepository(Path.Combine(_directory, "acme"));
        _vendors = await VendorMirrors.Open(
            Path.Combine(_directory, "vendors"), _repository, () => Task.FromResult<IReadOnlyList<Vendor>>([new Vendor("acme", _acme.FirstRoot, ["acme-*"], _acme.Folder)]), Options(), TimeProvider.System, NullLoggerFactory.Instance);
        _parts.Add(_vendors);
        _face = await Start(Options());
    }

    public async Task DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_device_finds_a_package_and_fetches_its_manifest_and_its_files()
    {
        await Publish("1.0");
        var (client, blobs) = await Device();

        var target = await client.FindAsync("packages/tills/1.0.json");
        await using var manifest = await client.DownloadAsync(target!, Path.Combine(_directory, "manifest"));
        var file = Assert.Single(PackageManifest.Read(await Bytes(manifest)).Files);
        var store = new BlobStore(Path.Combine(_directory, "store"), BlobStoreOptions.Default, TimeProvider.System);
        await new BlobFetcher(store, _ => true, new Budget(TimeProvider.System), Pace.Default, TimeProvider.System).Fetch(file.Content, file.Length, [blobs], default);

        Assert.Equal((Program.Length, true), (file.Length, store.Contains(BlobHash.Over(Program))));
    }

    [Fact]
    public async Task Content_goes_over_the_offices_lines_compressed()
    {
        await Publish("1.0");
        using var device = Handler(_authority.Own());
        using var http = Http(device, _face);
        using var asked = new HttpRequestMessage(HttpMethod.Get, $"blobs/{BlobHash.Over(Program)}");
        asked.Headers.TryAddWithoutValidation("Accept-Encoding", "zstd");

        using var answer = await http.SendAsync(asked);

        Assert.Equal(["zstd"], answer.Content.Headers.ContentEncoding);
        Assert.InRange((await answer.Content.ReadAsByteArrayAsync()).Length, 1, Program.Length / 10);
    }

    [Fact]
    public async Task The_timestamp_is_asked_for_each_time_and_all_else_is_kept_for_ever()
    {
        using var device = Handler(_authority.Own());
        using var http = Http(device, _face);

        using var timestamp = await http.GetAsync("metadata/timestamp.json");
        using var root = await http.GetAsync("metadata/1.root.json");
        using var request = new HttpRequestMessage(HttpMethod.Get, "metadata/timestamp.json");
        request.Headers.IfNoneMatch.Add(timestamp.Headers.ETag!);
        using var unchanged = await http.SendAsync(request);
        await Publish("1.0");
        using var again = new HttpRequestMessage(HttpMethod.Get, "metadata/timestamp.json");
        again.Headers.IfNoneMatch.Add(timestamp.Headers.ETag!);
        using var changed = await http.SendAsync(again);

        Assert.True(timestamp.Headers.CacheControl!.NoCache);
        Assert.Contains(root.Headers.CacheControl!.Extensions, e => e.Name == "immutable");
        Assert.Equal((HttpStatusCode.NotModified, HttpStatusCode.OK), (unchanged.StatusCode, changed.StatusCode));
    }

    [Theory]
    [InlineData("metadata/..%2Fkeys%2Froot.key")]
    [InlineData("metadata/2.root.json")]
    [InlineData("targets/packages/tills/9.9.json")]
    [InlineData("blobs/none")]
    [InlineData("keys/root.key")]
    public async Task Nothing_else_is_there(string path)
    {
        using var device = Handler(_authority.Own());
        using var http = Http(device, _face);

        using var answer = await http.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_vendors_metadata_is_served_beside_as_the_vendor_signed_it_and_nothing_else_of_its()
    {
        await _acme.Publish("acme-scale", "1", InstallKind.Archive, ("scale", Program));
        Assert.Null(await _vendors.Refresh("acme", default));
        using var device = Handler(_authority.Own());
        using var http = Http(device, _face);
        var store = new MetadataDirectory(Path.Combine(_directory, "trust"));
        TufClient.Begin(store, _acme.FirstRoot, DateTimeOffset.UtcNow);
        var client = new TufClient(new HttpSource(new Uri(http.BaseAddress!, "vendors/acme/metadata"), http), new FolderSource(_directory), store, TimeProvider.System);

        await client.RefreshAsync(DateTimeOffset.UtcNow);

        Assert.NotNull(await client.FindAsync("packages/acme-scale/1.json"));
        foreach (var path in (string[])["vendors/acme/metadata/2.root.json", "vendors/other/metadata/timestamp.json", "vendors/acme/metadata/..%2Ffirst-root.json", $"blobs/{BlobHash.Over(Program)}"])
        {
            using var answer = await http.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_stranger_is_served_only_where_the_settings_say_so()
    {
        using var other = new TestAuthority();
        await using var open = await Start(Options("updates.require-client-certificate=off"));

        foreach (var certificate in (X509Certificate2?[])[null, other.Issue(PeerIdentity.Headquarters)])
        {
            using var stranger = Handler(certificate);
            using var closed = Http(stranger, _face);
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => closed.GetAsync("metadata/timestamp.json"));
        }

        using var nobody = Handler(null);
        using var http = Http(nobody, open);
        using var answer = await http.GetAsync("metadata/timestamp.json");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static UpdateOptions Options(params string[] sets) => HeadquartersOptions.Load(null, ["updates.bind=127.0.0.1", "updates.port=0", .. sets]).Updates;

    private async Task<ContentListener> Start(UpdateOptions options)
    {
        var face = await UpdateFace.Start(options, _repository, _vendors, new ShownCertificate(_authority.Own, _authority.Authority), _authority.Trust, NullLoggerFactory.Instance);
        _parts.Add(face);
        return face;
    }

    private async Task Publish(string version)
    {
        var hash = BlobHash.Over(Program);
        Assert.Null(await _repository.Content.Take(hash, new MemoryStream(Program), 0, Program.Length, default));
        Assert.True((await _repository.Publish(new PackageManifest("tills", version, InstallKind.Archive, [new PackageFile("till", 0b111_101_101, Program.Length, hash)]), default)).Changed);
    }

    private async Task<(TufClient Client, IBlobSource Blobs)> Device()
    {
        SocketsHttpHandler Shown() => Handler(_authority.Own());
        var address = Address(_face);
        using var enrolled = Shown();
        using var http = Http(enrolled, _face);
        var store = new MetadataDirectory(Path.Combine(_directory, "device"));
        TufClient.Begin(store, await http.GetByteArrayAsync("metadata/1.root.json"), DateTimeOffset.UtcNow);
        var client = new TufClient(new HttpSource(new Uri(address, "metadata"), Shown()), new HttpSource(new Uri(address, "targets"), Shown()), store, TimeProvider.System);
        await client.RefreshAsync(DateTimeOffset.UtcNow);
        return (client, new HttpBlobSource(HttpBlobSource.Client(Shown()), new Uri(address, "blobs")));
    }

    private static async Task<byte[]> Bytes(Stream stream)
    {
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private static Uri Address(ContentListener face) => new($"https://{face.Local}/");

    private static HttpClient Http(SocketsHttpHandler handler, ContentListener face) => new(handler, disposeHandler: false) { BaseAddress = Address(face) };

    private static SocketsHttpHandler Handler(X509Certificate2? certificate) => new()
    {
        SslOptions =
        {
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
        },
    };
}
