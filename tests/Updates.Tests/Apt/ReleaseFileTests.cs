using System.Text;
using Fleet.Updates.Apt;

namespace Fleet.Updates.Tests.Apt;

public sealed class ReleaseFileTests
{
    private const string Hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Good = $"Suite: stable\nCodename: bookworm\nDate: Sat, 09 Nov 2024 10:21:27 UTC\nAcquire-By-Hash: yes\nSHA256:\n {Hash}        7 main/binary-amd64/Packages.gz\n";

    [Fact]
    public void A_release_is_read()
    {
        var release = Read(Good + "Valid-Until: Sat, 16 Nov 2024 9:21:27 +0000\n");

        Assert.Equal((new DateTimeOffset(2024, 11, 9, 10, 21, 27, TimeSpan.Zero), true, 7L), (release.Date, release.ByHash, release.Files["main/binary-amd64/Packages.gz"].Length));
        Assert.Equal(new DateTimeOffset(2024, 11, 16, 9, 21, 27, TimeSpan.Zero), release.ValidUntil);
        Assert.True(release.Is("stable") && release.Is("bookworm") && !release.Is("trixie"));
    }

    [Theory]
    [InlineData("Date: Sat, 09 Nov 2024 10:21:27 UTC\n", "", "it has no Date")]
    [InlineData("10:21:27 UTC", "10:21:27 CEST", "is no date in UTC")]
    [InlineData("SHA256:", "MD5Sum:", "it lists no SHA256")]
    [InlineData("main/binary-amd64/Packages.gz", "../../etc/passwd", "leads elsewhere")]
    [InlineData("main/binary-amd64/Packages.gz", "/etc/passwd", "leads elsewhere")]
    [InlineData("       7 main", "      -7 main", "lists no file")]
    [InlineData("Suite: stable", "Suite: stable\nSuite: testing", "two fields Suite")]
    [InlineData("Acquire-By-Hash: yes", "", "not one stanza")]
    [InlineData("Acquire-By-Hash: yes", "no field", "there is no field")]
    [InlineData("Packages.gz\n", "Packages.gz\n 0000000000000000000000000000000000000000000000000000000000000000 7 main/binary-amd64/Packages.gz\n", "with two hashes")]
    public void What_is_no_release_is_refused_with_its_reason(string part, string becomes, string why)
    {
        Assert.Contains(part, Good, StringComparison.Ordinal);

        var refused = Assert.Throws<AptException>(() => Read(Good.Replace(part, becomes, StringComparison.Ordinal)));

        Assert.Equal(AptFault.Malformed, refused.Fault);
        Assert.StartsWith("http://vendor/InRelease: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Packages_and_sources_are_found_by_their_paths()
    {
        using var list = new MemoryStream(Encoding.UTF8.GetBytes(
            $"Package: a\nFilename: ./pool/a_1.deb\nSize: 5\nSHA256: {Hash}\nDescription: one\n .\n two\n\nPackage: old\nFilename: pool/old.deb\nMD5sum: 0\n\nPackage: s\nDirectory: pool/s\nChecksums-Sha256:\n {Hash} 6 s_1.dsc\n {Hash} 7 s_1.tar.xz\n"));

        var table = PackageTable.Read(list, "Packages");

        Assert.Equal((3, 5L, 7L), (table.Count, table.Find("pool/a_1.deb")!.Value.Length, table.Find("pool/s/s_1.tar.xz")!.Value.Length));
        Assert.Equal(Hash, table.Find("pool/a_1.deb")!.Value.Hash.Value);
        Assert.Null(table.Find("pool/old.deb"));
    }

    [Theory, InlineData("Filename: ../../etc/passwd\nSize: 5\nSHA256: " + Hash), InlineData("Filename: a.deb\nSize: x\nSHA256: " + Hash), InlineData("Filename: a.deb\nSize: 5\nSHA256: short")]
    public void A_list_that_names_something_else_is_refused(string stanza)
    {
        using var list = new MemoryStream(Encoding.UTF8.GetBytes(stanza));

        Assert.Throws<AptException>(() => PackageTable.Read(list, "Packages"));
    }

    private static ReleaseFile Read(string text) => ReleaseFile.Read(Encoding.UTF8.GetBytes(text), "http://vendor/InRelease");
}
