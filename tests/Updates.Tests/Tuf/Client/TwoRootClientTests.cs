using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Tuf.Client;

public sealed class TwoRootClientTests
{
    private readonly TestRepository _vendor = new();
    private readonly TestRepository _tenant = new();

    [Fact]
    public async Task What_both_list_with_one_content_is_found_as_the_tenant_lists_it()
    {
        _vendor.AddTarget("app", [1, 2, 3]);
        var approved = _tenant.AddTarget("app", [1, 2, 3]) with { Custom = StrictJson.Parse("""{"ring":2}"""u8, 100) };
        _tenant.Roles["targets"] = _tenant.Roles["targets"] with { Files = new Dictionary<string, TargetFile> { ["app"] = approved } };

        var found = await (await Refreshed()).FindAsync("app");

        Assert.Equal(2, found?.Custom?.GetProperty("ring").GetInt32());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attack_20_what_only_one_of_them_lists_is_not_found(bool tenantLists)
    {
        (tenantLists ? _tenant : _vendor).AddTarget("app", [1, 2, 3]);

        Assert.Null(await (await Refreshed()).FindAsync("app"));
    }

    [Theory, InlineData(new byte[] { 1, 2, 4 }), InlineData(new byte[] { 1, 2 })]
    public async Task Attack_20_what_they_list_with_different_content_is_refused(byte[] other)
    {
        _vendor.AddTarget("app", [1, 2, 3]);
        _tenant.AddTarget("app", other);
        var client = await Refreshed();

        var refusal = await Assert.ThrowsAsync<TufException>(() => client.FindAsync("app"));

        Assert.Equal(TufFault.Mismatch, refusal.Fault);
    }

    [Fact]
    public async Task Attack_01_the_root_of_another_tenant_is_refused()
    {
        var other = new TestRepository();
        var store = new TestStore();
        TufClient.Begin(store, other.Current("root"), TestRepository.Noon);

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client(_tenant, store).RefreshAsync(TestRepository.Noon));

        Assert.Equal(TufFault.Unsigned, refusal.Fault);
    }

    [Fact]
    public async Task Attack_05_the_floor_that_headquarters_names_is_the_tenants()
    {
        _tenant.Publish("timestamp", "timestamp");

        var refusal = await Assert.ThrowsAsync<TufException>(() => TwoRoots().RefreshAsync(TestRepository.Noon, leastTenantTimestamp: 4));

        Assert.Equal(TufFault.Stale, refusal.Fault);
        await TwoRoots().RefreshAsync(TestRepository.Noon, leastTenantTimestamp: 3);
    }

    [Theory]
    [InlineData("sha256", "sha512", false)]
    [InlineData("sha256,sha512", "sha512", true)]
    [InlineData("md5", "md5", false)]
    public void Contents_are_one_only_by_a_known_hash_that_both_have(string mine, string theirs, bool agree)
    {
        static ContentHashes Hashes(string algorithms) => new(algorithms.Split(',').ToDictionary(a => a, _ => "aa"));

        Assert.Equal(agree, Hashes(mine).Agree(Hashes(theirs)));
    }

    private async Task<TwoRootClient> Refreshed()
    {
        _vendor.Publish("targets", "snapshot", "timestamp");
        _tenant.Publish("targets", "snapshot", "timestamp");
        var client = TwoRoots();
        await client.RefreshAsync(TestRepository.Noon);
        return client;
    }

    private TwoRootClient TwoRoots() => new(Begun(_vendor), Begun(_tenant));

    private static TufClient Begun(TestRepository repository)
    {
        var store = new TestStore();
        TufClient.Begin(store, repository.Current("root"), TestRepository.Noon);
        return Client(repository, store);
    }

    private static TufClient Client(TestRepository repository, TestStore store) =>
        new(new TestSource(repository, "metadata"), new TestSource(repository, "targets"), store, new FakeTimeProvider(TestRepository.Noon));
}
