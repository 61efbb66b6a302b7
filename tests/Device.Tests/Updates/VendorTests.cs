using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Installs;
using Fleet.Device.Updates;
using Fleet.TestSupport;
using Fleet.Updates.Packages;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Updates;

/// <summary>A device whose headquarters named a vendor: the tenant's repository with the vendor's mirrored beside it, as distribution points serve both.</summary>
public sealed class VendorTests : IAsyncLifetime
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly PackageRepository _repository = new();
    private readonly PackageRepository _vendor;
    private readonly UpdatedDevice _device;
    private RepositoryServer _point = null!;

    public VendorTests()
    {
        _vendor = new PackageRepository(MirrorIn(_repository));
        _device = new UpdatedDevice(_headquarters);
        _device.Vendors.Add(Named(_vendor));
    }

    public async Task InitializeAsync() => _point = await RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")));

    public async Task DisposeAsync()
    {
        await _point.DisposeAsync();
        _device.Dispose();
        _repository.Dispose();
        _headquarters.Dispose();
    }

    [Fact]
    public async Task What_vendor_and_tenant_both_list_is_installed()
    {
        await Scale(_vendor, "1");
        Want(await Scale(_repository, "1"));

        var status = await _device.RunUntil("acme-scale", PackageStep.Installed);

        Assert.Equal(("1", ""), (status.InstalledVersion, status.Detail));
        Assert.Contains(_point.Asked, p => p == "vendors/acme/metadata/timestamp.json");
    }

    [Fact]
    public async Task Attack_20_what_the_vendor_lists_with_another_hash_is_not_installed_until_it_lists_the_same()
    {
        await _vendor.Add("acme-scale", "1", InstallKind.Archive, ("bin/scale", "genuine"));
        Want(await Scale(_repository, "1"));

        var status = await Stuck();
        await Scale(_vendor, "1");
        await _device.RunUntil("acme-scale", PackageStep.Installed);

        Assert.Equal((PackageStep.Fetching, ""), (status.Step, status.InstalledVersion));
        Assert.Contains("vendor acme lists another hash for packages/acme-scale/1.json", status.Detail);
    }

    [Fact]
    public async Task Attack_20_what_the_vendor_does_not_list_is_not_installed_and_what_it_does_not_cover_is()
    {
        var own = await _repository.Add("till", "1", InstallKind.Archive, ("bin/till", "program"));
        Want(await Scale(_repository, "1"), own);

        await _device.RunUntil("till", PackageStep.Installed);
        var status = await Stuck();

        Assert.Contains("vendor acme does not list packages/acme-scale/1.json", status.Detail);
        Assert.False(Directory.Exists(Path.Combine(_device.Packages, "acme-scale")));
    }

    [Fact]
    public async Task Attack_01_another_root_for_the_vendor_changes_nothing_and_is_told_once()
    {
        await Pinned();
        using var invented = new PackageRepository();
        await Scale(invented, "2");
        // Headquarters is captured: it names a root of its own, serves what that signed, and wants what it lists.
        _point.Instead = path => path.StartsWith("vendors/acme/", StringComparison.Ordinal) && Path.Combine(invented.Folder, path["vendors/acme/".Length..]) is var file && File.Exists(file) ? File.ReadAllBytes(file) : null;
        _device.Vendors.Clear();
        _device.Vendors.Add(Named(invented));
        Want(await Scale(_repository, "2"));

        var status = await Stuck();
        await _device.RunUntil("acme-scale", s => s.Detail.Length > 0);

        Assert.Equal(("1", PackageStep.Fetching), (status.InstalledVersion, status.Step));
        Assert.Contains("vendor acme", status.Detail);
        Assert.Single(_device.Told(PinnedVendor.SwappedVendor));
    }

    [Fact]
    public async Task A_vendor_that_headquarters_names_no_more_still_has_to_list_its_packages_and_that_is_told_once()
    {
        await Pinned();
        _device.Vendors.Clear();
        Want(await Scale(_repository, "2"));

        var status = await Stuck();
        await Scale(_vendor, "2");
        await _device.RunUntil("acme-scale", s => s.InstalledVersion == "2");

        Assert.Contains("vendor acme does not list packages/acme-scale/2.json", status.Detail);
        Assert.Contains("acme-*", Assert.Single(_device.Told(PinnedVendor.DroppedVendor)).Text);
    }

    [Fact]
    public async Task Fewer_patterns_let_nothing_through()
    {
        await Pinned();
        _device.Vendors[0] = Named(_vendor, "other-*");
        Want(await Scale(_repository, "2"));

        Assert.Contains("vendor acme does not list packages/acme-scale/2.json", (await Stuck()).Detail);
    }

    [Fact]
    public async Task Attack_05_where_the_vendors_timestamp_has_expired_nothing_is_installed_and_the_source_is_called_frozen()
    {
        _device.Vendors.Clear();
        _vendor.Dispose();
        var old = new PackageRepository(MirrorIn(_repository), new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-5)));
        await Scale(old, "1");
        _device.Vendors.Add(Named(old));
        Want(await Scale(_repository, "1"));

        var status = await Stuck();

        Assert.Contains("vendor acme, is frozen: timestamp: expired at", status.Detail);
    }

    [Fact]
    public async Task A_mirror_that_lags_behind_the_vendor_is_passed_over_for_one_that_does_not()
    {
        var lagging = _repository.Freeze();
        await Scale(_vendor, "1");
        await using var headquarters = await RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Headquarters);
        _point.Instead = path => path.StartsWith("vendors/", StringComparison.Ordinal) && Path.Combine(lagging, path) is var file && File.Exists(file) ? File.ReadAllBytes(file) : null;
        Want(await Scale(_repository, "1"));
        _headquarters.Desired!.HeadquartersUpdateAddresses.Add(headquarters.Address);

        await _device.RunUntil("acme-scale", PackageStep.Installed);

        Assert.Contains(headquarters.Asked, p => p.StartsWith("vendors/acme/", StringComparison.Ordinal));
        Assert.DoesNotContain(headquarters.Asked, p => p.StartsWith("blobs/", StringComparison.Ordinal));
        Directory.Delete(lagging, recursive: true);
    }

    [Fact]
    public async Task The_agents_own_package_is_asked_for_too()
    {
        _device.Vendors[0] = Named(_vendor, "fleet-agent");
        Want(await _repository.Add(AgentSlot.Package, "2", InstallKind.Archive, ("agent", "invented")));

        var status = await _device.RunUntil(AgentSlot.Package, s => s.Detail.Length > 0);

        Assert.Equal((PackageStep.Fetching, true), (status.Step, status.Detail.StartsWith("vendor acme does not list packages/fleet-agent/2.json", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Where_the_settings_say_so_what_no_vendor_covers_is_not_installed()
    {
        _device.Options = _device.Options with { Updates = _device.Options.Updates with { RequireVendor = true } };
        Want(await _repository.Add("till", "1", InstallKind.Archive, ("bin/till", "program")));

        Assert.Contains("no vendor covers till", (await _device.RunUntil("till", s => s.Detail.Length > 0)).Detail);
    }

    [Fact]
    public async Task Whoever_may_change_the_devices_files_can_make_it_let_go_of_a_vendor()
    {
        await Pinned();
        _device.Vendors.Clear();
        Want(await Scale(_repository, "2"));
        await Stuck();

        var (forgotten, again) = (_device.Forget("acme"), _device.Forget("acme"));
        await _device.RunUntil("acme-scale", s => s.InstalledVersion == "2");

        Assert.Equal((true, false), (forgotten, again));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_device.Folder, "updates", "vendors")));
    }

    private static string MirrorIn(PackageRepository repository) => Path.Combine(repository.Folder, "vendors", "acme");

    private static TrustedVendor Named(PackageRepository vendor, string packages = "acme-*") => new() { Name = "acme", Root = ByteString.CopyFrom(vendor.FirstRoot), Packages = { packages } };

    private static Task<WantedPackage> Scale(PackageRepository repository, string version) => repository.Add("acme-scale", version, InstallKind.Archive, ("bin/scale", $"scale {version}"));

    private void Want(params WantedPackage[] packages) => _device.Want(_repository, [("gw1.leeds", _point.Address)], packages);

    private async Task Pinned()
    {
        await Scale(_vendor, "1");
        Want(await Scale(_repository, "1"));
        await _device.RunUntil("acme-scale", PackageStep.Installed);
    }

    private Task<PackageStatus> Stuck() => _device.RunUntil("acme-scale", s => s.Detail.Length > 0);
}
