using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Fleet.Gateway.Content;
using Fleet.TestSupport;
using Fleet.TestSupport.Apt;
using Fleet.Updates.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Gateway.Tests.Content;

/// <summary>Over real sockets, as apt asks.</summary>
public sealed class AptEndpointTests : IAsyncLifetime
{
    private const string InRelease = "/apt/debian/" + TestVendor.Suite + "InRelease";
    private const string Deb = "pool/h/hello_1.0+b1~x_amd64.deb";
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TestKey Key = TestKey.EdDsa(Noon.AddYears(-1));
    private static readonly byte[] Content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a package ", 30_000)));

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-apt-").FullName;
    private readonly FakeTimeProvider _clock = new(Noon);
    private readonly ConcurrentQueue<AptTraffic> _traffic = new();
    private readonly HttpClient _http = HttpBlobSource.Client();
    private readonly TestVendor _vendor = new();
    private BlobStore _store = null!;
    private AptMirror _mirror = null!;
    private WebApplication _host = null!;

    public async Task InitializeAsync()
    {
        _vendor.Publish(Key, Noon, new Dictionary<string, byte[]> { [Deb] = Content });
        _store = new BlobStore(Path.Combine(_directory, "blobs"), new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), _clock, _ => long.MaxValue / 2);
        var fetcher = new BlobFetcher(_store, _ => true, new Budget(_clock), Pace.Default, _clock);
        _mirror = new AptMirror(Path.Combine(_directory, "apt"), _store, fetcher, AptMirrorOptions.Default, Pace.Default, _clock, _vendor);
        _mirror.Passed += _traffic.Enqueue;
        _mirror.Obey([new AptSource("debian", TestVendor.Url, Key.Public, [])]);
        await Start(most: 100);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _mirror.Dispose();
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_device_gets_everything_and_each_byte_is_counted()
    {
        Assert.Equal(_vendor.File(TestVendor.Suite + "InRelease"), await _http.GetByteArrayAsync(InRelease));
        Assert.Equal(_vendor.File(TestVendor.Packages + ".gz"), await _http.GetByteArrayAsync($"/apt/debian/{TestVendor.Packages}.gz"));
        Assert.Equal(Content, await _http.GetByteArrayAsync($"/apt/debian/{Deb.Replace("+", "%2b", StringComparison.Ordinal)}"));
        Assert.Equal(Content, await _http.GetByteArrayAsync($"/apt/debian/./{Deb}"));

        await Until.True(() => _traffic.Sum(t => t.Hit ? t.Served : 0) >= Content.Length, "the second is a hit");
        Assert.Equal(Content.Length, _traffic.Where(t => !t.Hit).Sum(t => t.Served) - _vendor.File(TestVendor.Packages + ".gz").Length);
    }

    [Fact]
    public async Task Who_has_the_release_is_told_so_and_who_has_a_newer_one_sees_the_older()
    {
        using var first = await _http.GetAsync(InRelease);

        Assert.Equal(HttpStatusCode.NotModified, await Ask(r => r.IfModifiedSince = first.Content.Headers.LastModified));
        Assert.Equal(HttpStatusCode.NotModified, await Ask(r => r.IfNoneMatch.Add(first.Headers.ETag!)));
        Assert.Equal(HttpStatusCode.OK, await Ask(r => r.IfModifiedSince = first.Content.Headers.LastModified + TimeSpan.FromHours(1)));
        Assert.Equal((Noon, true), (first.Content.Headers.LastModified, first.Headers.CacheControl!.NoCache));

        async Task<HttpStatusCode> Ask(Action<HttpRequestHeaders> condition)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, InRelease);
            condition(request.Headers);
            using var response = await _http.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task A_head_and_a_range_are_answered()
    {
        await _http.GetByteArrayAsync(InRelease);
        using var head = new HttpRequestMessage(HttpMethod.Head, $"/apt/debian/{Deb}");
        using var range = new HttpRequestMessage(HttpMethod.Get, $"/apt/debian/{Deb}") { Headers = { Range = new RangeHeaderValue(299_990, null) } };

        using var headed = await _http.SendAsync(head);
        using var ranged = await _http.SendAsync(range);

        Assert.Equal(Content.Length, headed.Content.Headers.ContentLength);
        Assert.Equal((HttpStatusCode.PartialContent, 10L), (ranged.StatusCode, ranged.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("/apt/debian/../../etc/passwd")]
    [InlineData("/apt/debian/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/apt/debian/..%2f..%2fetc%2fpasswd")]
    [InlineData("/apt/debian/dists/stable/..%5c..%5cetc")]
    [InlineData("/apt/debian/pool/other_1_amd64.deb")]
    [InlineData("/apt/debian/")]
    [InlineData("/apt/other/dists/stable/InRelease")]
    [InlineData("/apt/debian/http://example.org/InRelease")]
    public async Task It_is_no_open_proxy_and_no_file_server(string path)
    {
        await _http.GetByteArrayAsync(InRelease);
        var raw = new Uri(_host.Urls.Single() + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

        using var response = await _http.GetAsync(raw);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_byte_that_the_disk_has_flipped_is_healed_while_the_device_waits()
    {
        await _http.GetByteArrayAsync(InRelease);
        await _http.GetByteArrayAsync($"/apt/debian/{Deb}");
        Flip(BlobHash.Over(Content), 10);

        await Until.True(async () =>
        {
            try
            {
                var came = await _http.GetByteArrayAsync($"/apt/debian/{Deb}");
                return Content.AsSpan().SequenceEqual(came);
            }
            catch (HttpRequestException)
            {
                // Cut off before the wrong byte.
                return false;
            }
        }, "the right bytes come");
    }

    [Fact]
    public async Task A_source_that_fails_is_named_with_the_file_and_what_is_old_is_said_to_be()
    {
        await _http.GetByteArrayAsync(InRelease);
        _vendor.Down = true;
        _clock.Advance(TimeSpan.FromMinutes(2));

        using var package = await _http.GetAsync($"/apt/debian/{Deb}");
        using var release = await _http.GetAsync(InRelease);

        Assert.Equal(HttpStatusCode.BadGateway, package.StatusCode);
        Assert.Contains(TestVendor.Url, await package.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, release.StatusCode);
        Assert.Contains("connection refused", release.Headers.Warning.Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_comes_beyond_the_limit_is_asked_to_come_back()
    {
        await _http.GetByteArrayAsync(InRelease);
        await _host.DisposeAsync();
        await Start(most: 0);

        using var response = await _http.GetAsync($"{_host.Urls.Single()}/apt/debian/{Deb}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    private async Task Start(int most)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _host = builder.Build();
        _host.UseRouting();
        new AptEndpoint(_mirror, _store, new ContentAdmission(most, most, TimeSpan.FromSeconds(3))).Map(_host);
        await _host.StartAsync();
        _http.BaseAddress ??= new Uri(_host.Urls.Single());
    }

    private void Flip(BlobHash hash, int at)
    {
        var path = Directory.GetFiles(Path.Combine(_directory, "blobs", "blobs"), hash.Value, SearchOption.AllDirectories).Single();
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = at;
        var value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 1));
    }
}
