using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Fleet.TestSupport;
using Fleet.TestSupport.Apt;
using Fleet.Updates.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Apt;

public sealed class AptMirrorTests : IDisposable
{
    private const string InRelease = TestVendor.Suite + "InRelease";
    private const string Hello = "pool/main/h/hello_1.0+b1~x_amd64.deb";
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CancellationToken Now = CancellationToken.None;
    private static readonly TestKey Key = TestKey.EdDsa(Noon.AddYears(-1));
    private static readonly byte[] Deb = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a package ", 20_000)));

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-apt-").FullName;
    private readonly FakeTimeProvider _clock = new(Noon);
    private readonly TestVendor _vendor = new();
    private readonly ConcurrentQueue<AptSuiteState> _told = new();
    private readonly BlobStore _store;
    private AptMirror _mirror;
    private readonly List<IBlobSource> _near = [];
    private long _fromUpstream;

    public AptMirrorTests()
    {
        _store = new BlobStore(Path.Combine(_directory, "blobs"), new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), _clock, _ => long.MaxValue / 2);
        _mirror = Started();
        Publish(Noon.AddHours(-1));
    }

    public void Dispose()
    {
        _mirror.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_device_gets_the_release_its_indexes_and_its_packages_as_the_source_signed_them()
    {
        Assert.Equal(_vendor.File(InRelease), await Release());
        Assert.Equal(_vendor.File(TestVendor.Packages + ".gz"), await Get(TestVendor.Packages + ".gz"));
        Assert.Equal(_vendor.File(TestVendor.Packages), await Get(ByHash(TestVendor.Packages)));
        Assert.Equal(Deb, await Get(Hello));
    }

    [Fact]
    public async Task The_second_device_costs_the_uplink_nothing()
    {
        await Update();
        await Get(Hello);
        var (asked, came) = (_vendor.Asked.Count, _fromUpstream);

        await Update();
        await Get(Hello);

        Assert.Equal((asked, came), (_vendor.Asked.Count, _fromUpstream));
    }

    [Fact]
    public async Task However_many_devices_ask_at_once_the_source_is_asked_once()
    {
        _vendor.Gate = new TaskCompletionSource();
        var asking = Enumerable.Range(0, 50).Select(_ => Release()).ToList();
        _vendor.Gate.SetResult();

        await Task.WhenAll(asking);

        Assert.Equal([InRelease], _vendor.Asked);
    }

    [Fact]
    public async Task A_signature_beside_the_release_is_as_good()
    {
        _vendor.Publish(Key, Noon, Packages(Deb), detached: true);

        Assert.Null(await _mirror.Release("debian", InRelease, Now));
        Assert.Equal(_vendor.File(TestVendor.Suite + "Release"), (await _mirror.Release("debian", TestVendor.Suite + "Release", Now))!.Content);
        Assert.Equal(_vendor.File(TestVendor.Suite + "Release.gpg"), (await _mirror.Release("debian", TestVendor.Suite + "Release.gpg", Now))!.Content);
        Assert.Equal(Deb, await Get(Hello));
    }

    [Theory]
    [InlineData(TestVendor.Suite + "main/binary-amd64/Packages.bz2")]
    [InlineData(TestVendor.Suite + "main/binary-amd64/by-hash/SHA256/0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("pool/main/o/other_1.0_amd64.deb")]
    [InlineData("pool/")]
    [InlineData("index.html")]
    public async Task What_no_verified_list_names_is_not_found_and_not_asked_for(string path)
    {
        await Update();
        _vendor.Put(path, "secret"u8.ToArray());

        Assert.Null(await _mirror.Find("debian", path));
        Assert.DoesNotContain(path, _vendor.Asked);
    }

    [Theory, InlineData("../etc/passwd"), InlineData("dists/../../etc"), InlineData("a//b"), InlineData("a\\b"), InlineData(""), InlineData("/etc"), InlineData("a/\0")]
    public void A_path_that_leads_elsewhere_is_none(string path) => Assert.Null(AptPath.Checked(path));

    [Fact]
    public async Task Suites_that_are_not_named_are_not_passed_on()
    {
        Obey(suites: ["stable"]);
        await Release();

        Assert.Null(await _mirror.Release("debian", "dists/testing/InRelease", Now));
        Assert.Null(await _mirror.Release("other", InRelease, Now));
        Assert.Equal([InRelease], _vendor.Asked);
    }

    [Fact]
    public async Task A_release_by_another_key_is_refused_and_the_last_good_one_is_served_and_says_so()
    {
        await Update();
        var good = _vendor.File(InRelease);
        Publish(Noon, key: TestKey.EdDsa(Noon.AddYears(-1)));
        Later();

        var served = await _mirror.Release("debian", InRelease, Now);

        Assert.Equal(good, served!.Content);
        Assert.Contains("is not in the keyring", served.Stale, StringComparison.Ordinal);
        Assert.Contains($"{TestVendor.Url}/{InRelease}", served.Stale, StringComparison.Ordinal);
        Assert.Contains("is not in the keyring", Assert.Single(_told).Problem, StringComparison.Ordinal);
        Assert.Equal(Deb, await Get(Hello));
    }

    [Fact]
    public async Task An_older_release_is_refused_also_after_a_restart()
    {
        var old = _vendor.File(InRelease);
        Publish(Noon);
        await Update();
        _vendor.Put(InRelease, old);
        Restart();

        var served = await _mirror.Release("debian", InRelease, Now);

        Assert.NotEqual(old, served!.Content);
        Assert.Contains("rolled back", served.Stale, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_of_another_suite_by_the_same_key_is_refused()
    {
        await Update();
        Publish(Noon, suite: "testing");
        Later();

        Assert.Contains("is of suite 'testing'", (await _mirror.Release("debian", InRelease, Now))!.Stale, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_that_has_expired_is_refused_and_one_that_expires_here_is_served_no_longer()
    {
        Publish(Noon, validFor: TimeSpan.FromDays(7));
        await Update();

        _clock.Advance(TimeSpan.FromDays(6));
        await Release();
        _clock.Advance(TimeSpan.FromDays(1));
        var refused = await Assert.ThrowsAsync<AptException>(Release);

        Assert.Equal(AptFault.Expired, refused.Fault);
        Assert.Contains("the source is frozen", _mirror.States.Single().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_from_the_future_is_refused_and_both_clocks_are_named()
    {
        Publish(Noon.AddDays(30));

        var refused = await Assert.ThrowsAsync<AptException>(Release);

        Assert.Contains("2026-06-01 12:00", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_source_down_everything_that_is_here_is_served()
    {
        await Update();
        await Get(Hello);
        _vendor.Down = true;
        Later();

        Assert.Contains("connection refused", (await _mirror.Release("debian", InRelease, Now))!.Stale, StringComparison.Ordinal);
        await Update();
        Assert.Equal(Deb, await Get(Hello));
        Restart();
        await Update();
        Assert.Equal(Deb, await Get(Hello));
    }

    [Fact]
    public async Task A_source_that_does_not_answer_holds_nobody_up_for_long()
    {
        await Update();
        Later();
        _vendor.Gate = new TaskCompletionSource();
        var asking = Release();
        await Until.True(() => _vendor.Asked.Count(a => a == InRelease) == 2, "the source is asked again");

        while (!asking.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(_vendor.File(InRelease), await asking);
    }

    [Fact]
    public async Task A_new_release_is_shown_only_when_what_devices_use_of_it_is_here()
    {
        await Update();
        var before = _vendor.File(InRelease);
        Publish(Noon, "pool/main/h/hello_2.0_amd64.deb", byHash: false);
        var list = _vendor.File(TestVendor.Packages + ".gz");
        _vendor.Put(TestVendor.Packages + ".gz", "half of it"u8.ToArray());
        Later();

        Assert.Equal(before, await Release());
        _vendor.Put(TestVendor.Packages + ".gz", list);
        Later();
        Assert.NotEqual(before, await Release());
        _vendor.Down = true;
        Assert.Equal(list, await Get(TestVendor.Packages + ".gz"));
    }

    [Fact]
    public async Task Plain_paths_are_answered_from_the_release_that_was_served_last_and_hashes_from_any()
    {
        await Update();
        var (before, byHash) = (_vendor.File(TestVendor.Packages + ".gz"), ByHash(TestVendor.Packages + ".gz"));
        Publish(Noon, "pool/main/h/hello_2.0_amd64.deb");
        Assert.Equal(before, await Get(TestVendor.Packages + ".gz"));
        Later();

        await Release();

        Assert.Equal(_vendor.File(TestVendor.Packages + ".gz"), await Get(TestVendor.Packages + ".gz"));
        Assert.Equal(before, await Get(byHash));
        Assert.Equal(Deb, await Get(Hello));
        Assert.Equal(Deb, await Get("pool/main/h/hello_2.0_amd64.deb"));
    }

    [Fact]
    public async Task Old_releases_go_in_the_end()
    {
        await Update();
        var byHash = ByHash(TestVendor.Packages + ".gz");
        for (var day = 1; day <= 3; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            Publish(_clock.GetUtcNow(), $"pool/main/h/hello_{day}_amd64.deb");
            await Release();
        }

        Assert.Null(await _mirror.Find("debian", byHash));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(_directory, "apt"), "*.InRelease", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public async Task A_package_that_is_not_what_the_list_says_is_never_served()
    {
        _vendor.Put(Hello, Encoding.UTF8.GetBytes(new string('x', Deb.Length)));
        await Update();

        var refused = await Assert.ThrowsAsync<AptException>(() => Get(Hello));

        Assert.Contains($"{TestVendor.Url}/pool/main/h/hello_1.0%2Bb1~x_amd64.deb", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (long)_store.List().Count(b => b.Length == Deb.Length));
    }

    [Theory, InlineData(-1), InlineData(1), InlineData(1_000_000)]
    public async Task A_source_that_lies_about_a_length_is_found_out(int by)
    {
        _vendor.Put(Hello, by < 0 ? Deb[..^1] : [.. Deb, .. new byte[by]]);
        await Update();

        await Assert.ThrowsAsync<AptException>(() => Get(Hello));
    }

    [Fact]
    public async Task A_web_page_in_place_of_the_release_is_called_so()
    {
        _vendor.Put(InRelease, "<html>Sign in to the Wi-Fi</html>"u8.ToArray());

        Assert.Contains($"{TestVendor.Url}/{InRelease}: it is a web page", (await Assert.ThrowsAsync<AptException>(Release)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/debian/" + InRelease, "redirects more than 5 times")]
    [InlineData("http://192.168.1.1/reboot", "only redirects on the same host are followed")]
    [InlineData("file:///etc/passwd", "only redirects on the same host are followed")]
    public async Task Redirects_that_loop_or_lead_elsewhere_are_not_followed(string to, string why)
    {
        _vendor.Instead[InRelease] = () => new HttpResponseMessage(HttpStatusCode.Found) { Headers = { Location = new Uri(to, UriKind.RelativeOrAbsolute) } };

        Assert.Contains(why, (await Assert.ThrowsAsync<AptException>(Release)).Message, StringComparison.Ordinal);
        Assert.True(_vendor.Asked.Count <= 6);
    }

    [Fact]
    public async Task A_redirect_on_the_same_host_is_followed()
    {
        _vendor.Put("moved/InRelease", _vendor.File(InRelease));
        _vendor.Instead[InRelease] = () => new HttpResponseMessage(HttpStatusCode.MovedPermanently) { Headers = { Location = new Uri("/debian/moved/InRelease", UriKind.Relative) } };

        Assert.Equal(_vendor.File(InRelease), await Release());
    }

    [Fact]
    public async Task A_suite_that_is_nowhere_is_missing_and_leaves_nothing_behind()
    {
        var refused = await Assert.ThrowsAsync<AptException>(() => _mirror.Release("debian", "dists/none/InRelease", Now));

        Assert.Equal(AptFault.Missing, refused.Fault);
        Assert.Empty(_mirror.States);
    }

    [Fact]
    public async Task Keys_that_are_taken_back_make_what_they_signed_worthless()
    {
        await Update();
        _vendor.Down = true;

        Obey(TestKey.EdDsa(Noon.AddYears(-1)));

        await Assert.ThrowsAsync<AptException>(Release);
        Assert.Null(await _mirror.Find("debian", TestVendor.Packages));
    }

    [Fact]
    public async Task A_repository_that_is_passed_on_no_more_leaves_nothing_behind()
    {
        await Update();

        _mirror.Obey([]);

        Assert.Empty(Directory.GetDirectories(Path.Combine(_directory, "apt")));
        Assert.Null(await _mirror.Release("debian", InRelease, Now));
    }

    [Fact]
    public void A_keyring_that_is_none_stands_in_the_states()
    {
        _mirror.Obey([new AptSource("debian", TestVendor.Url, "no keys"u8.ToArray(), [])]);

        Assert.Contains("the keyring of APT repository debian", Assert.Single(_mirror.States).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flat_repository_is_passed_on_too()
    {
        var list = Encoding.UTF8.GetBytes($"Package: tool\nFilename: ./amd64/tool_1_amd64.deb\nSize: {Deb.Length}\nSHA256: {TestVendor.Hash(Deb)}\n");
        _vendor.Put("Packages.gz", TestVendor.Gzip(list));
        _vendor.Put("amd64/tool_1_amd64.deb", Deb);
        _vendor.Put("InRelease", Key.ClearSign(TestVendor.Release(Noon, new Dictionary<string, byte[]> { ["Packages"] = list, ["Packages.gz"] = TestVendor.Gzip(list) }, byHash: false), Noon));

        await _mirror.Release("debian", "InRelease", Now);

        Assert.Equal(TestVendor.Gzip(list), await Get("Packages.gz"));
        Assert.Equal(Deb, await Get("amd64/tool_1_amd64.deb"));
    }

    [Fact]
    public async Task A_list_packed_with_xz_is_read_and_one_that_is_not_what_its_name_says_is_told()
    {
        var packed = Convert.FromBase64String("/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ABwAG1dACgYSGbb2jCF/hberuFGi/ZwV5p62qp45gRanoHVVU2F96t58dZdLxCdC7/TSNihBlm1kW3cEmBUXtVBkDbwYNlZ3BlGJa+dAGRLYH/DYXEmZnNhfG6g8rccBlyD19PBByLpqcNRazBqCfDliAAAAAAAyxRvHGO3UD0AAYkBcQAAAIR/CRSxxGf7AgAAAAAEWVo=");
        PublishIndex("Packages.xz", packed);
        await Release();
        Assert.Equal(5, (await _mirror.Find("debian", "pool/a.deb"))!.Length);

        PublishIndex("Packages.xz", "no xz"u8.ToArray());
        Later();
        await Release();
        var refused = await Assert.ThrowsAsync<AptException>(() => _mirror.Find("debian", "pool/b_1_all.deb"));
        Assert.Contains("Packages.xz: it can't be unpacked", refused.Message, StringComparison.Ordinal);

        void PublishIndex(string name, byte[] content)
        {
            _vendor.Put(TestVendor.Suite + name, content);
            _vendor.Put(InRelease, Key.ClearSign(TestVendor.Release(_clock.GetUtcNow(), new Dictionary<string, byte[]> { [name] = content }, byHash: false), _clock.GetUtcNow()));
        }
    }

    [Fact]
    public async Task What_a_neighbour_has_costs_the_uplink_nothing()
    {
        await Update();
        _near.Add(new Neighbour());

        Assert.Equal(Deb, await Get(Hello));

        Assert.DoesNotContain(Hello, _vendor.Asked);
    }

    [Fact]
    public async Task Bytes_are_counted_by_source_and_by_what_was_here()
    {
        var traffic = new ConcurrentQueue<AptTraffic>();
        _mirror.Passed += traffic.Enqueue;
        await Update();
        await Get(Hello);
        _mirror.CountServed("debian", 5, hit: true);

        Assert.All(traffic, t => Assert.Equal(("debian", "vendor.test"), (t.Repository, t.Host)));
        Assert.Equal(_fromUpstream, traffic.Sum(t => t.FromUpstream));
        Assert.Equal(_vendor.File(InRelease).Length + _vendor.File(TestVendor.Packages + ".gz").Length + Deb.Length, _fromUpstream);
        Assert.Equal(5, traffic.Where(t => t.Hit).Sum(t => t.Served));
    }

    // As apt does it: first the release, then an index that has changed.
    private async Task Update()
    {
        await Release();
        await Get(TestVendor.Packages + ".gz");
    }

    private async Task<byte[]> Release() => (await _mirror.Release("debian", InRelease, Now))!.Content;

    private async Task<byte[]> Get(string path)
    {
        var file = await _mirror.Find("debian", path);
        Assert.NotNull(file);
        await _mirror.Bring(file, Now);
        using var reader = _store.Open(file.Hash)!;
        using var read = new MemoryStream();
        await reader.CopyTo(read, 0, reader.Length, Now);
        return read.ToArray();
    }

    private string ByHash(string path) => $"{path[..path.LastIndexOf('/')]}/by-hash/SHA256/{TestVendor.Hash(_vendor.File(path))}";

    private void Publish(DateTimeOffset date, string package = Hello, TestKey? key = null, TimeSpan? validFor = null, bool byHash = true, string suite = "stable") =>
        _vendor.Publish(key ?? Key, date, new Dictionary<string, byte[]> { [package] = Deb }, validFor, byHash, suite: suite);

    private static Dictionary<string, byte[]> Packages(byte[] content) => new() { [Hello] = content };

    private void Later() => _clock.Advance(TimeSpan.FromMinutes(2));

    private void Restart()
    {
        _mirror.Dispose();
        _mirror = Started();
    }

    private AptMirror Started()
    {
        var pace = new Pace(1000, TimeSpan.FromMinutes(5));
        var fetcher = new BlobFetcher(_store, hash => _mirror?.Needs(hash) == true, new Budget(_clock), pace, _clock);
        var mirror = _mirror = new AptMirror(Path.Combine(_directory, "apt"), _store, fetcher, AptMirrorOptions.Default, pace, _clock, new Borrowed(_vendor), () => _near);
        mirror.Changed += _told.Enqueue;
        mirror.Passed += t => Interlocked.Add(ref _fromUpstream, t.FromUpstream);
        Obey();
        return mirror;
    }

    private void Obey(TestKey? key = null, params string[] suites) => _mirror.Obey([new AptSource("debian", TestVendor.Url, (key ?? Key).Public, suites)]);

    private sealed class Neighbour : IBlobSource
    {
        public string Name => "neighbour";

        public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) =>
            Task.FromResult<Stream?>(hash == BlobHash.Over(Deb) ? new MemoryStream(Deb, (int)from, Deb.Length - (int)from) : null);
    }

    // The vendor outlives the mirror that asks it.
    private sealed class Borrowed(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override void Dispose(bool disposing)
        {
        }
    }
}
