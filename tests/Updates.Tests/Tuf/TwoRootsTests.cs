using Fleet.Updates.Tests.Tuf.Client;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Tuf;

public sealed class TwoRootsTests
{
    private readonly TestRepository _tenant = new();

    [Fact]
    public void What_both_list_with_one_content_may_be_installed() => Assert.Null(TwoRoots.Problem("acme", Target([1, 2, 3]), Target([1, 2, 3])));

    [Fact]
    public void Attack_20_what_the_vendor_does_not_list_may_not() => Assert.Equal("vendor acme does not list app", TwoRoots.Problem("acme", Target([1, 2, 3]), genuine: null));

    [Theory, InlineData(new byte[] { 1, 2, 4 }), InlineData(new byte[] { 1, 2 })]
    public void Attack_20_what_they_list_with_different_content_may_not(byte[] other) =>
        Assert.Equal("vendor acme lists another hash for app", TwoRoots.Problem("acme", Target([1, 2, 3]), Target(other)));

    [Fact]
    public void A_length_that_differs_is_other_content_whatever_the_hashes_say() =>
        Assert.NotNull(TwoRoots.Problem("acme", Target([1, 2, 3]), Target([1, 2, 3]) with { Length = 4 }));

    [Fact]
    public async Task Attack_01_the_root_of_another_tenant_is_refused()
    {
        var other = new TestRepository();
        var store = new TestStore();
        TufClient.Begin(store, other.Current("root"), TestRepository.Noon);

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client(store).RefreshAsync(TestRepository.Noon));

        Assert.Equal(TufFault.Unsigned, refusal.Fault);
    }

    [Fact]
    public async Task Attack_05_what_is_older_than_headquarters_names_is_refused()
    {
        _tenant.Publish("timestamp", "timestamp");

        var refusal = await Assert.ThrowsAsync<TufException>(() => Begun().RefreshAsync(TestRepository.Noon, leastTimestamp: 4));

        Assert.Equal(TufFault.Stale, refusal.Fault);
        await Begun().RefreshAsync(TestRepository.Noon, leastTimestamp: 3);
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

    private static TargetFile Target(byte[] content) => new("app", content.Length, ContentHashes.Of(content));

    private TufClient Begun()
    {
        var store = new TestStore();
        TufClient.Begin(store, _tenant.Current("root"), TestRepository.Noon);
        return Client(store);
    }

    private TufClient Client(TestStore store) =>
        new(new TestSource(_tenant, "metadata"), new TestSource(_tenant, "targets"), store, new FakeTimeProvider(TestRepository.Noon));
}
