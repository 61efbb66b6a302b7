using System.Text;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Updates.Tests.Packages;

public sealed class PackageManifestTests
{
    private static readonly BlobHash Some = BlobHash.Over("some"u8);

    [Fact]
    public void A_manifest_is_read_as_it_was_written_and_has_one_form()
    {
        var manifest = Of(new PackageFile("bin/till", 0b111_101_101, 4, Some), new PackageFile("etc/till.conf", 0b110_100_100, 0, BlobHash.Over([])));

        var read = PackageManifest.Read(manifest.ToBytes());

        Assert.Equal((manifest.Name, manifest.Version, manifest.Kind), (read.Name, read.Version, read.Kind));
        Assert.Equal(manifest.Files, read.Files);
        Assert.Equal(manifest.ToBytes(), read.ToBytes());
        Assert.StartsWith("{\"files\":[{\"length\":4,\"mode\":493,\"path\":\"bin/till\",\"sha256\":", Encoding.UTF8.GetString(manifest.ToBytes()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/x")]
    [InlineData("/etc/x")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a/")]
    [InlineData("C:\\x")]
    [InlineData("a\\b")]
    [InlineData("a:stream")]
    [InlineData("CON")]
    [InlineData("x/nul.txt")]
    [InlineData("com1")]
    [InlineData("lpt9.log")]
    [InlineData("trailing.")]
    [InlineData("trailing ")]
    [InlineData("nul\0")]
    [InlineData("ﬁle")]
    [InlineData("")]
    public void Attack_12_a_path_that_leads_elsewhere_is_refused(string path) =>
        Assert.Throws<FormatException>(() => PackageManifest.Read(Of(new PackageFile(path, 0, 4, Some)).ToBytes()));

    [Theory]
    [InlineData("a/b", "A/B")]
    [InlineData("a", "a/b")]
    [InlineData("a/b/c", "A/b")]
    public void Paths_that_are_one_file_on_some_system_are_refused(string one, string other) =>
        Assert.Throws<FormatException>(() => PackageManifest.Read(Of(new PackageFile(one, 0, 4, Some), new PackageFile(other, 0, 4, Some)).ToBytes()));

    [Theory]
    [InlineData("lib/comet.so")]
    [InlineData("console/con-figure")]
    [InlineData("a b/.hidden")]
    [InlineData("comma,and+plus=~@(1).txt")]
    public void Plain_paths_are_taken(string path) => Assert.Null(PackagePath.Problem(path));

    [Theory]
    [InlineData("{}", "'format' is missing")]
    [InlineData("{\"format\":2}", "format 2")]
    [InlineData("{\"files\":[],\"format\":1,\"kind\":\"deb\",\"name\":\"n\",\"version\":\"1\"}", "1 to 50000 files")]
    [InlineData("{\"files\":[],\"format\":1,\"kind\":\"exe\",\"name\":\"n\",\"version\":\"1\"}", "no kind of installation")]
    [InlineData("{\"files\":[{\"length\":1,\"mode\":2048,\"path\":\"a\",\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}],\"format\":1,\"kind\":\"deb\",\"name\":\"n\",\"version\":\"1\"}", "impossible length or mode")]
    [InlineData("{\"files\":[{\"length\":1,\"mode\":0,\"path\":\"a\",\"sha256\":\"nope\"}],\"format\":1,\"kind\":\"deb\",\"name\":\"n\",\"version\":\"1\"}", "no SHA-256")]
    public void What_is_no_manifest_is_refused_with_what_is_wrong(string json, string problem) =>
        Assert.Contains(problem, Assert.Throws<FormatException>(() => PackageManifest.Read(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    private static PackageManifest Of(params PackageFile[] files) => new("till", "2.4.0", InstallKind.Archive, files);
}
