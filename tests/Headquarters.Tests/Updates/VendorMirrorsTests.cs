using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using Fleet.Updates.Packages;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class VendorMirrorsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-vendors-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly UpdateOptions _options = HeadquartersOptions.Load(null, ["updates.min-free=1b"]).Updates;
    private readonly FolderRepository _acme;

    public VendorMirrorsTests() => _acme = new FolderRepository(Path.Combine(_directory, "acme"), _clock);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_vendor_is_read_anew_each_hour()
    {
        await using var repository = await Open();
        await using var mirrors = await Mirrors(repository);
        await Until.True(() => mirrors.StandingOf("acme") is { ReadAt: not null }, "the vendor was read at the start");
        await _acme.Publish("acme-scale", "1", InstallKind.Archive, ("scale", [1]));

        _clock.Advance(TimeSpan.FromMinutes(59));
        var before = mirrors.StandingOf("acme")!.Timestamp;
        _clock.Advance(TimeSpan.FromMinutes(2));
        await Until.True(() => mirrors.StandingOf("acme")!.Timestamp == (long)_acme.Timestamp, "the vendor was read after an hour");

        Assert.True(before < (long)_acme.Timestamp);
        Assert.Equal("acme-scale", Assert.Single(mirrors.ListedBy("acme")).Name);
    }

    [Fact]
    public async Task After_a_restart_what_was_read_last_is_served_while_the_vendor_is_out_of_reach()
    {
        await using var repository = await Open();
        await using (var first = await Mirrors(repository))
            Assert.Null(await first.Refresh("acme", default));
        var timestamp = (long)_acme.Timestamp;
        Directory.Move(_acme.Folder, _acme.Folder + ".away");

        await using var second = await Mirrors(repository);
        await Until.True(() => second.StandingOf("acme")!.Problem.Length > 0, "the vendor is out of reach");

        Assert.NotNull(second.Metadata("acme", "timestamp.json"));
        Assert.Equal(timestamp, second.StandingOf("acme")!.Timestamp);
    }

    [Fact]
    public async Task A_vendor_is_named_to_distribution_points_with_its_root()
    {
        await using var company = await Start(offices: [Leeds]);
        var node = await LinkedNode.Join(company, new TestKit(company.System).CreateTestProbe(), Leeds, "gw1");
        await company.Office(new AssignRoles(Leeds, node.Id, [NodeRole.DistributionPoint], [], "test"));

        await company.Company(new NoteRepository(new byte[] { 1 }, 1));
        await company.Company(new PutVendor(Acme(), "test"));
        var desired = await node.Down<NodeDesired>(d => d.Updates?.Vendors.Count == 1);

        Assert.Equal("acme", desired.Updates!.Vendors[0].Name);
        Assert.Equal(_acme.FirstRoot, desired.Updates.Vendors[0].Root.ToArray());
    }

    private Vendor Acme() => new("acme", _acme.FirstRoot, ["acme-*"], _acme.Folder);

    private Task<VendorMirrors> Mirrors(TenantRepository repository) =>
        VendorMirrors.Open(Path.Combine(_directory, "vendors"), repository, () => Task.FromResult<IReadOnlyList<Vendor>>([Acme()]), _options, _clock, NullLoggerFactory.Instance);

    private Task<TenantRepository> Open() => TenantRepository.Open(
        Path.Combine(_directory, "updates"), _options, CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock), _clock, NullLoggerFactory.Instance);
}
