using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Office.Identity;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Office.Tests.DistributionPoint;

/// <summary>Whole nodes with the role, over real sockets, fed from a folder.</summary>
public sealed class DistributionPointTests : IAsyncLifetime
{
    private static readonly byte[] Program = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 13))];
    private static readonly BlobHash Hash = BlobHash.Over(Program);

    private readonly TempDirectory _directory = new();
    private readonly FakeHeadquarters _headquarters = new();
    private readonly FakeEdge.Script _said = new();
    private readonly FolderRepository _repository;
    private FakeEdge _edge = null!;

    public DistributionPointTests() => _repository = new FolderRepository(_directory.Of("source"));

    public Task InitializeAsync()
    {
        _edge = FakeEdge.Start(_headquarters.Authority, OfficeOptions.Load(null, []).Link, _said);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _edge.DisposeAsync();
        _headquarters.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task It_mirrors_what_devices_should_have_and_serves_it_to_whoever_shows_a_certificate()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1");

        var address = await Whole(manifest);
        using var device = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        Assert.Equal(Program, await device.GetByteArrayAsync(new Uri($"https://{address}/blobs/{Hash}")));
        Assert.NotEmpty(await device.GetByteArrayAsync(new Uri($"https://{address}/metadata/timestamp.json")));

        await Until.True(() => Count("till") is { ToDevices: 300_000, FromCache: 300_000, Here: 300_000, Total: 300_000 }, "what went to the device is counted at headquarters");
        Assert.Equal(_repository.Folder, Path.GetDirectoryName(Assert.Single(Count("till")!.FromSources).Key));
        using var stranger = new TestAuthority();
        using var other = Client(stranger.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => other.GetByteArrayAsync(new Uri($"https://{address}/blobs/{Hash}")));
    }

    [Fact]
    public async Task Of_a_next_version_only_the_delta_comes_over_the_uplink_and_devices_get_both()
    {
        await using var node = await StartWithFirst();
        var (second, delta, next) = await PublishNext();

        WantNext(second, next);
        var address = await Whole(second);

        using var device = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        Assert.Equal(next, await device.GetByteArrayAsync(new Uri($"https://{address}/blobs/{BlobHash.Over(next)}")));
        var sent = await device.GetByteArrayAsync(new Uri($"https://{address}/blobs/{delta}"));
        Assert.Equal(next, ZstdDelta.Apply(Program, sent, next.Length));
        await Until.True(() => Count("till", "2.1") is { DeltaSaved: > 0, ToDevices: > 0 }, "what the delta saved is counted at headquarters");
        var count = Count("till", "2.1")!;
        Assert.Equal(next.Length - sent.Length, count.DeltaSaved);
        Assert.InRange(count.FromSources.Values.Sum(), sent.Length, 5000);
    }

    [Fact]
    public async Task What_a_delta_builds_on_stays_until_the_next_version_is_here()
    {
        await using var node = await StartWithFirst("distribution.keep-unused=1ms");
        var (second, delta, next) = await PublishNext();
        File.Delete(_repository.PathOf(BlobHash.Over(next)));
        var away = _directory.Of("away");
        File.Move(_repository.PathOf(delta), away);

        WantNext(second, next);
        await Until.True(() => _said.Node?.Mirror?.Problem.Contains("till 2.1", StringComparison.Ordinal) == true, "what is missing is told");
        File.Move(away, _repository.PathOf(delta));

        await Whole(second);
    }

    [Fact]
    public async Task Where_there_is_room_for_one_version_the_next_takes_the_place_of_what_it_was_built_of()
    {
        await using var node = await StartWithFirst("distribution.quota=450000b");
        var (second, _, next) = await PublishNext();

        WantNext(second, next);

        await Whole(second);
        await Until.True(() => Count("till", "2.1") is { DeltaSaved: > 0 }, "it was built of a delta");
    }

    [Fact]
    public async Task A_byte_that_the_disk_changed_is_never_served_and_is_healed_and_told()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1");
        var address = await Whole(manifest);
        var file = Path.Combine(_directory.Of("gw1"), "distribution", "content", "blobs", Hash.Value[..2], Hash.Value);
        Flip(file, 200_000);

        using var device = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        byte[]? got = null;
        await Until.True(async () => (got = await Try(device, address)) is not null, "the device has all of it");

        Assert.Equal(Program, got);
        await Until.True(() => Count("till") is { Healed: 300_000 }, "the healing is counted");
        await Until.True(() => _said.Items<NodeEvent>().Any(e => e.Kind == "content-damaged" && e.Text.Contains("till 2.0", StringComparison.Ordinal)), "the incident is told");
    }

    [Fact]
    public async Task What_a_source_lacks_is_told_with_its_name_and_had_once_it_is_there()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        var away = _directory.Of("away");
        File.Move(_repository.PathOf(Hash), away);
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1");

        await Until.True(() => _said.Node?.Mirror?.Problem.Contains("bin/till", StringComparison.Ordinal) == true, "what is missing is told");
        Assert.Contains(_repository.Folder, _said.Node!.Mirror!.Problem, StringComparison.Ordinal);
        File.Move(away, _repository.PathOf(Hash));

        await Whole(manifest);
        await Until.True(() => _said.Node is { Mirror.Problem: "", Problems.Count: 0 }, "nothing is wrong any more");
    }

    [Fact]
    public async Task What_a_vendor_lists_is_mirrored_from_headquarters_and_the_last_good_list_is_served_while_it_can_not_be_read()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        var acme = new FolderRepository(_directory.Of(Path.Combine("headquarters", "vendors", "acme")));
        await using var headquarters = await FolderServer.Start(_directory.Of("headquarters"));
        _said.AtAnnounce.Add(WithVendor(Wanted(1, [manifest]), acme, headquarters.Url));
        await using var node = await Start("gw1");
        var address = await Whole(manifest);
        using var device = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        var first = TimestampOf(acme);
        Assert.Equal(first, await VendorTimestamp(device, address));

        Directory.Move(acme.Folder, acme.Folder + ".away");
        await Until.True(() => _said.Node?.Mirror?.Problem.Contains("vendor acme can't be read, the last good list is served", StringComparison.Ordinal) == true, "the vendor that can't be read is told");
        Assert.Equal(first, await VendorTimestamp(device, address));

        Directory.Move(acme.Folder + ".away", acme.Folder);
        await acme.Publish("acme-scale", "1", InstallKind.Archive, ("scale", Program));
        await Until.True(async () => (await VendorTimestamp(device, address)).SequenceEqual(TimestampOf(acme)), "the newest list is served");
        await Until.True(() => _said.Node is { Mirror.Problem: "" }, "nothing is wrong any more");
    }

    [Fact]
    public async Task Where_headquarters_is_out_of_reach_a_vendors_list_comes_from_another_distribution_point_and_one_of_another_root_from_none()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        var acme = new FolderRepository(_directory.Of(Path.Combine("peer", "vendors", "acme")));
        _ = new FolderRepository(_directory.Of(Path.Combine("peer", "vendors", "other")));
        await using var peer = await FolderServer.Start(_directory.Of("peer"));
        var wanted = WithVendor(Wanted(1, [manifest]), acme, "http://127.0.0.1:1");
        _said.AtAnnounce.Add(wanted with { Updates = wanted.Updates! with { Peers = [new NodeHop(new NodeId("gw2.leeds"), [peer.Url])], Vendors = [.. wanted.Updates.Vendors, new VendorRoot("other", acme.FirstRoot)] } });
        await using var node = await Start("gw1");

        var address = await Whole(manifest);

        using var device = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new DeviceId("till-1"))));
        Assert.Equal(TimestampOf(acme), await VendorTimestamp(device, address));
        using var other = await device.GetAsync(new Uri($"https://{address}/vendors/other/metadata/timestamp.json"));
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        await Until.True(() => _said.Node?.Mirror?.Problem.Contains("vendor other can't be read", StringComparison.Ordinal) == true, "the vendor whose root is another is told");
    }

    [Fact]
    public async Task A_frozen_folder_is_told_as_soon_as_headquarters_names_a_newer_timestamp()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1");
        await Whole(manifest);

        var next = Wanted(1, [manifest]);
        _said.Send(next with { Updates = next.Updates! with { Timestamp = _repository.Timestamp + 1 } });

        await Until.True(() => _said.Node?.Mirror?.Problem.Contains($"where {_repository.Timestamp + 1} is published", StringComparison.Ordinal) == true, "the frozen source is told");
        Assert.Equal([manifest.Value], _said.Node!.Mirror!.Whole);
    }

    [Fact]
    public async Task Asked_for_a_generation_that_it_will_have_soon_it_asks_to_come_back_and_not_where_it_can_not_have_it()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1");
        var address = await Whole(manifest);
        using var point = Client(_headquarters.Authority.Issue(PeerIdentity.Of(new NodeId("gw2.leeds"))));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskedByPoint(point, address));
        Directory.Move(_repository.Folder, _directory.Of("away"));
        await Until.True(() => _said.Node?.Mirror?.Problem.Length > 0, "the folder is missed");

        Assert.Equal(HttpStatusCode.NotFound, await AskedByPoint(point, address));
    }

    [Fact]
    public async Task A_file_that_does_not_fit_the_quota_is_told_and_what_is_there_stays()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [manifest]));
        await using var node = await Start("gw1", "distribution.quota=100000");

        await Until.True(() => _said.Node?.Mirror?.Problem.Contains("there is no room", StringComparison.Ordinal) == true, "the quota is told");
        Assert.Empty(_said.Node!.Mirror!.Whole);
    }

    [Fact]
    public async Task Each_task_ends_for_itself_and_a_source_that_is_no_repository_fails_its_own_alone()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        await _repository.Publish("office-tools", "1.0", InstallKind.Archive, ("tools", [1, 2, 3]));
        var good = Folder("good") with { Schedule = "", Patterns = ["office-*"], RunNumber = 4 };
        var bad = good with { Name = "bad", Sources = [new UpdateSource(UpdateSourceKind.Folder, _directory.Of("nothing"))] };
        _said.AtAnnounce.Add(Wanted(1, [manifest], bad, good));
        await using var node = await Start("gw1", "distribution.retry-after=1h");

        await Until.True(() => Run("good") is { Outcome: DownloadOutcome.Full, RunNumber: 4, Problem: "", EndedAt: not null }, "the good one is full");
        await Until.True(() => Run("bad") is { Outcome: DownloadOutcome.Failed }, "the bad one failed");
        Assert.Contains(_directory.Of("nothing"), Run("bad")!.Problem, StringComparison.Ordinal);
        await Until.True(() => _said.Items<ContentCounts>().LastOrDefault()?.Progress is { BytesPerSecond: 0, Total: 300_003, Here: 300_003 }, "all that is to be mirrored is here, and nothing comes any more");
    }

    [Fact]
    public async Task A_vendors_server_is_known_by_its_key_and_asked_with_the_credentials_that_headquarters_sealed()
    {
        using var stranger = new TestAuthority();
        await using var vendor = await VendorServer.Start(stranger, _repository.Folder);
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        await using var node = await Start("gw1", "distribution.retry-after=1h");
        await Until.True(() => _said.Node is not null, "the node is linked");
        var key = NodeKey("gw1");
        var source = new UpdateSource(UpdateSourceKind.Vendor, vendor.Url, User: VendorServer.User, Pin: vendor.Pin);

        _said.Send(Vendor(1, source with { Password = Sealed("wrong") }));
        await Until.True(() => Run("vendor") is { Outcome: DownloadOutcome.Failed, RunNumber: 1 }, "wrong credentials fail");
        Assert.Contains($"{vendor.Url}/metadata answered 401: user or password are wrong", Run("vendor")!.Problem, StringComparison.Ordinal);

        _said.Send(Vendor(2, source with { Password = Sealed(VendorServer.Password), Pin = new string('0', 64) }));
        await Until.True(() => Run("vendor") is { Outcome: DownloadOutcome.Failed, RunNumber: 2 }, "another key is not accepted");
        Assert.Contains($"the server shows another key than the one that is pinned: {vendor.Pin}", Run("vendor")!.Problem, StringComparison.Ordinal);

        _said.Send(Vendor(3, source with { Password = Sealed(VendorServer.Password) }));
        await Until.True(() => Run("vendor") is { Outcome: DownloadOutcome.Full, RunNumber: 3 }, "with the right ones all is here");
        await Until.True(() => Count("till")?.FromSources.Keys.SingleOrDefault() == $"{vendor.Url}/blobs", "it came from the vendor");

        NodeDesired Vendor(ulong run, UpdateSource from) => Wanted(run, [manifest], Folder("vendor") with { Schedule = "", Sources = [from], RunNumber = run });

        byte[] Sealed(string password) => NodeSecret.Seal(key, UpdateSource.PasswordPurpose, System.Text.Encoding.UTF8.GetBytes(password));
    }

    [Fact]
    public async Task A_run_that_is_paused_stops_and_goes_on_when_it_is_resumed()
    {
        var manifest = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        // So slow that it is under way until it may go faster.
        var slow = Folder("nightly") with { Schedule = "", RunNumber = 1, Budget = [new UplinkBudget(0, 1000)] };
        _said.AtAnnounce.Add(Wanted(1, [manifest], slow));
        await using var node = await Start("gw1");
        await Until.True(() => Run("nightly") is { Outcome: DownloadOutcome.Running }, "the run is under way");

        _said.Send(Wanted(2, [manifest], slow with { Paused = true, Budget = [] }));
        await Until.True(() => Run("nightly") is { Outcome: DownloadOutcome.Stopped }, "the run stopped");
        _said.Send(Wanted(3, [manifest], slow with { Budget = [] }));

        await Until.True(() => Run("nightly") is { Outcome: DownloadOutcome.Full, RunNumber: 1 }, "the run went on to its end");
    }

    private async Task<OfficeNode> StartWithFirst(params string[] sets)
    {
        var first = await _repository.Publish("till", "2.0", InstallKind.Archive, ("bin/till", Program));
        _said.AtAnnounce.Add(Wanted(1, [first]));
        var node = await Start("gw1", sets);
        await Whole(first);
        return node;
    }

    private async Task<(BlobHash Manifest, BlobHash Delta, byte[] Program)> PublishNext()
    {
        byte[] next = [.. Program.AsSpan(0, 150_000), .. "changed"u8, .. Program.AsSpan(150_000)];
        return (await _repository.Publish("till", "2.1", InstallKind.Archive, ("bin/till", next)), await _repository.PublishDelta("till", "2.1", Program, next), next);
    }

    private void WantNext(BlobHash manifest, byte[] program)
    {
        var wanted = Wanted(2, []);
        _said.Send(wanted with { Updates = wanted.Updates! with { Wanted = [new WantedUpdate("till", "2.1", manifest.Value, program.Length)] } });
    }

    private async Task<string> Whole(BlobHash manifest)
    {
        await Until.True(() => _said.Node is { ContentAddresses.Count: 1, Mirror: { } mirror } && mirror.Whole.Contains(manifest.Value), "the package is here, whole");
        return _said.Node!.ContentAddresses[0];
    }

    private static async Task<byte[]?> Try(HttpClient device, string address)
    {
        try
        {
            return await device.GetByteArrayAsync(new Uri($"https://{address}/blobs/{Hash}"));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>For what nothing lists yet, by another distribution point that serves a newer generation.</summary>
    private static async Task<HttpStatusCode> AskedByPoint(HttpClient point, string address)
    {
        using var question = new HttpRequestMessage(HttpMethod.Get, new Uri($"https://{address}/blobs/{BlobHash.Over("of the next generation"u8)}"));
        question.Headers.Add("Fleet-Distribution-Point", "gw2.leeds");
        question.Headers.Add("Fleet-Timestamp", "999");
        using var answer = await point.SendAsync(question);
        return answer.StatusCode;
    }

    private static void Flip(string file, int at)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private UpdateCount? Count(string package) => _said.Items<ContentCounts>().LastOrDefault()?.Updates.FirstOrDefault(u => u.Package == package);

    private UpdateCount? Count(string package, string version) =>
        _said.Items<ContentCounts>().LastOrDefault()?.Updates.FirstOrDefault(u => u.Package == package && u.PackageVersion == version);

    // What headquarters seals for: the key of the node's certificate.
    private byte[] NodeKey(string name)
    {
        using var identity = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_directory.Of(name), "node.json")));
        using var certificate = X509CertificateLoader.LoadCertificate(identity.RootElement.GetProperty("Current").GetProperty("Certificate").GetBytesFromBase64());
        return certificate.PublicKey.ExportSubjectPublicKeyInfo();
    }

    private DownloadRun? Run(string task) => _said.Node?.Mirror?.Runs?.FirstOrDefault(r => r.Task == task);

    private DownloadTask Folder(string name) => new(name, [], [new UpdateSource(UpdateSourceKind.Folder, _repository.Folder)], [], DownloadTask.OnChange, "", TimeSpan.Zero, [], 0, Paused: false);

    private NodeDesired Wanted(ulong version, IReadOnlyList<BlobHash> manifests, params DownloadTask[] tasks) => new(version, [NodeRole.DistributionPoint], TimeSpan.FromMinutes(15), null, [], [], Periodic: false,
        new UpdatePlan(_repository.FirstRoot, _repository.Timestamp, [], [], [.. manifests.Select(m => new WantedUpdate("till", "2.0", m.Value, Program.Length))], [],
            tasks.Length > 0 ? tasks : [Folder("folder")]));

    private static NodeDesired WithVendor(NodeDesired wanted, FolderRepository vendor, string headquarters) =>
        wanted with { Updates = wanted.Updates! with { Headquarters = [headquarters], Vendors = [new VendorRoot("acme", vendor.FirstRoot)] } };

    private static byte[] TimestampOf(FolderRepository vendor) => File.ReadAllBytes(Path.Combine(vendor.Folder, "metadata", "timestamp.json"));

    private static Task<byte[]> VendorTimestamp(HttpClient device, string address) => device.GetByteArrayAsync(new Uri($"https://{address}/vendors/acme/metadata/timestamp.json"));

    private async Task<OfficeNode> Start(string name, params string[] sets)
    {
        var data = DataDirectory.Open(_directory.Of(name), "office");
        await using (var server = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Headquarters, new FakeGateway.Answers { Enrol = _headquarters.Enrol }))
        {
            var enrolment = new NodeEnrolment(new EnrolmentClient(Tcp.Connect, DeviceOptions.Default, TimeProvider.System), MachineFingerprint.Read());
            Assert.IsType<EnrolmentOutcome.Accepted>(await enrolment.Enrol(data, _headquarters.Token, name, new NodeReach([server.Address], [_edge.Local.ToString()], []), CancellationToken.None));
        }

        var options = OfficeOptions.Load(null,
        [
            "distribution.bind=127.0.0.1", "distribution.port=0", "distribution.plain-port=0", "distribution.retry-after=100ms", "distribution.refresh-every=500ms", "distribution.min-free=1B",
            "distribution.counts-every=100ms", "link.max-backoff=1s", "log.level=error", .. sets,
        ]);
        return await OfficeNode.Start(new OfficeSetup(options, data, TimeProvider.System, NullLoggerFactory.Instance));
    }

    private HttpClient Client(X509Certificate2 certificate)
    {
        var trust = new PeerTrust(_headquarters.Authority.Certificate, TimeProvider.System, TimeSpan.Zero);
        return new HttpClient(PeerHttp.Handler(() => certificate, shown => trust.Check(shown, out var problem) is { Kind: PeerKind.Node } ? null : problem, Tcp.Connect, TimeSpan.FromSeconds(5)));
    }
}
