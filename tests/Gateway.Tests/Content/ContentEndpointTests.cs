using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Fleet.Gateway.Content;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.Gateway.Tests.Content;

/// <summary>Over real sockets, with the client that agents and other nodes use.</summary>
public sealed class ContentEndpointTests : IAsyncLifetime
{
    private static readonly byte[] Content = MadeUp(500_000);
    private static readonly BlobHash Hash = BlobHash.Over(Content);

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-content-").FullName;
    private readonly ConcurrentDictionary<BlobHash, long> _served = new();
    private readonly HttpClient _http = HttpBlobSource.Client();
    private bool _compresses;
    private ContentAdmission _admission = new(100, 100, TimeSpan.FromSeconds(3));
    private Func<BlobHash, CancellationToken, Task<bool>> _wanted = (_, _) => Task.FromResult(false);
    private BlobStore _store = null!;
    private WebApplication _host = null!;
    private Uri _blobs = null!;

    public async Task InitializeAsync()
    {
        _store = Store("server");
        await Keep();
        await Start();
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_whole_is_served_with_its_hash_as_entity_tag_and_for_ever()
    {
        using var response = await _http.GetAsync($"{_blobs}/{Hash}");

        Assert.Equal(Content, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(($"\"{Hash}\"", true, "bytes"), (response.Headers.ETag!.Tag, response.Headers.CacheControl!.Extensions.Any(e => e.Name == "immutable"), response.Headers.AcceptRanges.Single()));
        await Until.True(() => _served.GetValueOrDefault(Hash) == Content.Length, "the bytes are counted");
    }

    [Theory]
    [InlineData(0, 0, 0, 1)]
    [InlineData(131_071, 131_072, 131_071, 2)]
    [InlineData(400_000, null, 400_000, 100_000)]
    [InlineData(null, 10, 499_990, 10)]
    [InlineData(499_999, 9_999_999, 499_999, 1)]
    [InlineData(null, 9_999_999, 0, 500_000)]
    public async Task A_range_is_served(int? from, int? to, int begins, int count)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{Hash}");
        request.Headers.Range = new RangeHeaderValue(from, to);
        using var response = await _http.SendAsync(request);

        Assert.Equal((HttpStatusCode.PartialContent, begins, Content.Length), (response.StatusCode, (int)response.Content.Headers.ContentRange!.From!, (int)response.Content.Headers.ContentRange.Length!));
        Assert.Equal(Content.Skip(begins).Take(count), await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("bytes=500000-", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("bytes=0-1,5-6", HttpStatusCode.OK)]
    [InlineData("lines=0-1", HttpStatusCode.OK)]
    public async Task Other_ranges_are_answered_as_the_standard_has_it(string range, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{Hash}");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var response = await _http.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Who_has_it_is_told_so_and_a_head_has_no_body()
    {
        using var known = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{Hash}") { Headers = { IfNoneMatch = { new EntityTagHeaderValue($"\"{Hash}\"") } } };
        using var head = new HttpRequestMessage(HttpMethod.Head, $"{_blobs}/{Hash}");
        using var other = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{Hash}") { Headers = { Range = new RangeHeaderValue(5, 9), IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue("\"other\"")) } };

        using var notModified = await _http.SendAsync(known);
        using var headed = await _http.SendAsync(head);
        using var whole = await _http.SendAsync(other);

        Assert.Equal(HttpStatusCode.NotModified, notModified.StatusCode);
        Assert.Equal((Content.Length, 0), ((int)headed.Content.Headers.ContentLength!, (await headed.Content.ReadAsByteArrayAsync()).Length));
        Assert.Equal((HttpStatusCode.OK, Content.Length), (whole.StatusCode, (await whole.Content.ReadAsByteArrayAsync()).Length));
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("x")]
    public async Task What_is_not_here_is_not_found(string name)
    {
        using var response = await _http.GetAsync($"{_blobs}/{name}");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_flipped_byte_is_never_served_and_the_blob_is_healed_while_the_asker_waits()
    {
        Flip(300_000);
        var healed = 0;
        _wanted = async (_, _) =>
        {
            Interlocked.Increment(ref healed);
            await Keep();
            return true;
        };

        var client = Store("client");
        var fetcher = new BlobFetcher(client, _ => true, new Budget(TimeProvider.System), Pace.Default, TimeProvider.System);
        IBlobSource[] twice = [new HttpBlobSource(_http, _blobs), new HttpBlobSource(_http, _blobs)];
        await Until.True(async () =>
        {
            try
            {
                await fetcher.Fetch(Hash, Content.Length, twice, CancellationToken.None);
                return true;
            }
            catch (FetchException)
            {
                return false;
            }
        }, "the right bytes come");

        Assert.True(healed > 0);
        using var reader = client.Open(Hash)!;
        using var read = new MemoryStream();
        await reader.CopyTo(read, 0, reader.Length, CancellationToken.None);
        Assert.Equal(Content, read.ToArray());
    }

    [Fact]
    public async Task What_is_not_here_yet_is_brought_once_for_all_who_ask()
    {
        var other = MadeUp(100_000, seed: 9);
        var hash = BlobHash.Over(other);
        var brought = 0;
        var bringing = new Lazy<Task>(async () =>
        {
            Interlocked.Increment(ref brought);
            await Keep(other);
        });
        _wanted = async (_, _) =>
        {
            await bringing.Value;
            return true;
        };

        var bodies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _http.GetByteArrayAsync($"{_blobs}/{hash}")));

        Assert.All(bodies, b => Assert.Equal(other, b));
        Assert.Equal(1, brought);
    }

    [Fact]
    public async Task Who_comes_beyond_the_limit_is_asked_to_come_back()
    {
        await _host.DisposeAsync();
        _admission = new ContentAdmission(0, 0, TimeSpan.FromSeconds(3));
        await Start();

        using var response = await _http.GetAsync($"{_blobs}/{Hash}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(3)), (response.StatusCode, response.Headers.RetryAfter!.Delta));
    }

    [Fact]
    public async Task Where_the_line_is_narrow_what_can_be_compressed_is_and_comes_out_as_it_was()
    {
        await Compressing();
        var text = Text(500_000);
        await Keep(text);
        var hash = BlobHash.Over(text);
        using var asked = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{hash}") { Headers = { AcceptEncoding = { new StringWithQualityHeaderValue("zstd") } } };
        using var response = await _http.SendAsync(asked);
        var onTheWire = (await response.Content.ReadAsByteArrayAsync()).Length;
        var client = Store("client");

        await new BlobFetcher(client, _ => true, new Budget(TimeProvider.System), Pace.Default, TimeProvider.System).Fetch(hash, text.Length, [new HttpBlobSource(_http, _blobs)], CancellationToken.None);

        Assert.InRange(onTheWire, 1, text.Length / 2);
        Assert.Equal(("zstd", true, "Accept-Encoding"), (response.Content.Headers.ContentEncoding.Single(), response.Headers.ETag!.IsWeak, response.Headers.Vary.Single()));
        Assert.Equal(text, client.ReadAll(hash, text.Length));
        await Until.True(() => _served.GetValueOrDefault(hash) == 2 * text.Length, "the bytes are counted as they are");
    }

    [Theory]
    [InlineData("zstd", false, null)]
    [InlineData("zstd;q=0", true, null)]
    [InlineData("br, gzip", true, null)]
    [InlineData("zstd", true, "bytes=10-")]
    public async Task It_goes_out_as_it_is_where_compression_does_not_help_or_is_not_asked_for_or_would_move_a_range(string accepted, bool compressible, string? range)
    {
        await Compressing();
        var content = compressible ? Text(500_000) : Content;
        await Keep(content);
        using var asked = new HttpRequestMessage(HttpMethod.Get, $"{_blobs}/{BlobHash.Over(content)}");
        asked.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        asked.Headers.TryAddWithoutValidation("Range", range);
        using var response = await _http.SendAsync(asked);

        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Equal(range is null ? content : content[10..], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_damaged_block_ends_what_is_compressed_without_an_end_so_that_nobody_takes_it_for_whole()
    {
        await Compressing();
        var text = Text(500_000);
        await Keep(text);
        var hash = BlobHash.Over(text);
        Flip(400_000, hash);

        var source = new HttpBlobSource(_http, _blobs);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await using var body = (await source.Open(hash, 0, CancellationToken.None))!;
            await body.CopyToAsync(Stream.Null);
        });
    }

    private async Task Compressing()
    {
        await _host.DisposeAsync();
        _compresses = true;
        await Start();
    }

    private static byte[] Text(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)('a' + (i * i / 977 % 17)))];

    private async Task Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _host = builder.Build();
        _host.UseRouting();
        new ContentEndpoint(_store, async (hash, asked) => await _wanted(hash, asked.RequestAborted) ? ContentAnswer.Here : ContentAnswer.Unknown, _admission, (hash, bytes, _) => _served.AddOrUpdate(hash, bytes, (_, before) => before + bytes))
        {
            Compresses = _compresses,
        }.Map(_host);
        await _host.StartAsync();
        _blobs = new Uri(_host.Urls.Single() + "/blobs");
    }

    private BlobStore Store(string name) => new(Path.Combine(_directory, name), new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), TimeProvider.System);

    private async Task Keep(byte[]? content = null)
    {
        content ??= Content;
        var hash = BlobHash.Over(content);
        if (_store.Contains(hash))
            return;
        using var part = _store.Begin(hash, content.Length, _ => true);
        await part.Write(content, CancellationToken.None);
        part.Commit();
    }

    private void Flip(int at, BlobHash? blob = null)
    {
        var path = Directory.GetFiles(Path.Combine(_directory, "server", "blobs"), (blob ?? Hash).Value, SearchOption.AllDirectories).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[at] ^= 1;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.Write(bytes);
    }

    private static byte[] MadeUp(int length, int seed = 1)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }
}
