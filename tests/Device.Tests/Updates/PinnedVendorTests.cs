using Fleet.Contracts.Agents;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Device.Updates;
using Fleet.TestSupport;
using Google.Protobuf;

namespace Fleet.Device.Tests.Updates;

public sealed class PinnedVendorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fleet-roots-").FullName;
    private readonly ByteString _root;
    private readonly ByteString _other;

    public PinnedVendorTests() => (_root, _other) = (Root("one"), Root("other"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_vendor_is_pinned_at_first_sight_and_named_again_changes_nothing()
    {
        var (pinned, notes) = Take([], Named(_root, "acme-*"));
        var again = PinnedVendor.Take(pinned, [Named(_root, "acme-*")]);

        Assert.Equal(("acme", _root, "acme-*"), (Assert.Single(pinned).Name, pinned[0].Root, Assert.Single(pinned[0].Packages)));
        Assert.Empty(notes);
        Assert.Same(pinned, again.Vendors);
    }

    [Fact]
    public void Another_first_root_is_told_once_and_changes_nothing()
    {
        var (pinned, _) = Take([], Named(_root, "acme-*"));

        var (swapped, notes) = Take(pinned, Named(_other, "acme-*"));
        var (still, again) = Take(swapped, Named(_other, "acme-*"));

        Assert.Equal(_root, Assert.Single(still).Root);
        Assert.Equal(PinnedVendor.SwappedVendor, Assert.Single(notes).Kind);
        Assert.Empty(again);
    }

    [Fact]
    public void A_vendor_that_is_named_no_more_stays_and_is_told_once()
    {
        var (pinned, _) = Take([], Named(_root, "acme-*"));

        var (dropped, notes) = PinnedVendor.Take(pinned, []);
        var (still, again) = PinnedVendor.Take(dropped, []);

        Assert.True(Assert.Single(still).Covers("acme-scale"));
        Assert.Equal(PinnedVendor.DroppedVendor, Assert.Single(notes).Kind);
        Assert.Empty(again);
    }

    [Fact]
    public void Patterns_widen_and_never_narrow()
    {
        var (pinned, _) = Take([], Named(_root, "acme-*"));

        var (wider, _) = Take(pinned, Named(_root, "scale"));

        Assert.Equal(["acme-*", "scale"], Assert.Single(wider).Packages);
    }

    [Fact]
    public void A_root_that_nobody_could_trust_is_told_covers_all_the_same_and_makes_room_for_a_good_one()
    {
        var (pinned, notes) = Take([], Named(ByteString.CopyFromUtf8("no root"), "acme-*"));

        var (better, _) = Take(pinned, Named(_root, "acme-*"));

        Assert.True(Assert.Single(pinned).Covers("acme-scale"));
        Assert.Equal(PinnedVendor.UnusableVendor, Assert.Single(notes).Kind);
        Assert.Equal(_root, Assert.Single(better).Root);
    }

    [Theory, InlineData(".."), InlineData("a/b"), InlineData("Acme"), InlineData("")]
    public void A_name_that_could_lead_elsewhere_is_passed_over(string name)
    {
        var named = Named(_root, "acme-*");
        named.Name = name;

        Assert.Empty(Take([], named).Vendors);
    }

    [Fact]
    public void However_many_are_named_what_is_kept_is_bounded()
    {
        IReadOnlyList<PinnedVendor> pinned = [];
        for (var i = 0; i < 60; i++)
            pinned = PinnedVendor.Take(pinned, [new TrustedVendor { Name = $"v{i}", Root = _root, Packages = { Enumerable.Range(0, 200).Select(n => $"p{n}") } }]).Vendors;

        Assert.Equal((50, 100), (pinned.Count, pinned.Max(p => p.Packages.Count)));
    }

    [Fact]
    public void What_is_pinned_outlives_a_restart()
    {
        var storage = new DeviceMemory();
        var state = UpdateState.None.Take(new DesiredDocument { Vendors = { Named(_root, "acme-*") } }, DateTimeOffset.UnixEpoch).Take(new DesiredDocument { Vendors = { Named(_other) } }, DateTimeOffset.UnixEpoch);

        state.Save(storage);

        Assert.Equal(state.Vendors, UpdateState.Load(storage).Vendors);
        Assert.False(UpdateState.Load(storage).Vendors[0].RefusedRoot.IsEmpty);
    }

    private static (IReadOnlyList<PinnedVendor> Vendors, IReadOnlyList<Note> Notes) Take(IReadOnlyList<PinnedVendor> pinned, TrustedVendor named) => PinnedVendor.Take(pinned, [named]);

    private static TrustedVendor Named(ByteString root, params string[] packages) => new() { Name = "acme", Root = root, Packages = { packages } };

    private ByteString Root(string name) => ByteString.CopyFrom(new FolderRepository(Path.Combine(_folder, name)).FirstRoot);
}
