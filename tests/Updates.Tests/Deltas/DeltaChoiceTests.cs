using System.Text;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Updates.Tests.Deltas;

public sealed class DeltaChoiceTests
{
    [Fact]
    public void A_changed_file_builds_on_the_one_at_its_path_in_each_version_before()
    {
        var pairs = Pairs(Version("3", ("bin/till", 3000)), Version("2", ("bin/till", 2000), ("old/till", 3000)), Version("1", ("bin/till", 1500)));

        Assert.Equal(["2:bin/till", "1:bin/till"], pairs.Select(From));
    }

    [Fact]
    public void Versions_further_back_take_no_part() =>
        Assert.Equal(2, Pairs(Version("4", ("a", 2000)), Version("3", ("a", 2000)), Version("2", ("a", 2000)), Version("1", ("a", 2000))).Count);

    [Fact]
    public void A_file_that_moved_builds_on_the_one_of_its_name_whose_folders_are_most_alike()
    {
        var pairs = Pairs(Version("2", ("lib/2.0/x64/core.so", 5000)), Version("1", ("lib/1.0/arm/core.so", 5000), ("lib/1.0/x64/core.so", 2000), ("else/x64/other.so", 5000)));

        Assert.Equal(["1:lib/1.0/x64/core.so"], pairs.Select(From));
    }

    [Fact]
    public void Of_files_equally_alike_the_one_of_the_nearest_length_is_taken() =>
        Assert.Equal(["1:b/core.so"], Pairs(Version("2", ("new/core.so", 5000)), Version("1", ("a/core.so", 2000), ("b/core.so", 5100))).Select(From));

    [Fact]
    public void What_did_not_change_is_new_or_is_small_or_large_has_none()
    {
        var same = File("x", "same", 4000);
        var next = new PackageManifest("till", "2", InstallKind.Archive, [same, File("2", "new", 4000), File("2", "small", 1023), File("2", "large", 9001), File("2", "grown", 4000)]);
        var before = new PackageManifest("till", "1", InstallKind.Archive, [same, File("1", "small", 1000), File("1", "large", 4000), File("1", "grown", 9001)]);

        Assert.Empty(DeltaChoice.Pairs(next, [before], maxFile: 9000));
    }

    [Fact]
    public void What_two_versions_share_is_made_once()
    {
        var shared = File("1", "a", 2000);

        Assert.Single(Pairs(Version("3", ("a", 2000)), Version("2") with { Files = [shared] }, Version("1") with { Files = [shared] }));
    }

    [Theory]
    [InlineData(599, true)]
    [InlineData(600, false)]
    [InlineData(1060, false)]
    public void A_delta_is_kept_below_sixty_percent(long delta, bool kept) => Assert.Equal(kept, DeltaChoice.IsWorth(delta, 1000));

    private static IReadOnlyList<DeltaPair> Pairs(PackageManifest next, params PackageManifest[] previous) => DeltaChoice.Pairs(next, previous, maxFile: 1 << 20);

    private static PackageManifest Version(string version, params (string Path, long Length)[] files) =>
        new("till", version, InstallKind.Archive, [.. files.Select(f => File(version, f.Path, f.Length))]);

    private static PackageFile File(string version, string path, long length) => new(path, 0, length, BlobHash.Over(Encoding.UTF8.GetBytes($"{version}:{path}")));

    // Content here is named for where it comes from.
    private static string From(DeltaPair pair) => new[] { "1", "2", "3" }.Select(v => $"{v}:{pair.Base.Path}").Single(n => BlobHash.Over(Encoding.UTF8.GetBytes(n)) == pair.Base.Content);
}
