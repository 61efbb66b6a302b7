using System.Text;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Updates.Tests.Deltas;

public sealed class PackageDeltasTests
{
    private static readonly FileDelta Delta = new(BlobHash.Over("old"u8), BlobHash.Over("new"u8), BlobHash.Over("delta"u8), 5);

    [Fact]
    public void A_list_is_read_as_it_was_written_and_has_one_form()
    {
        var list = new PackageDeltas("till", "2.0", [Delta, Delta with { Length = 6 }]);

        var read = PackageDeltas.Read(list.ToBytes());

        Assert.Equal(("till", "2.0"), (read.Name, read.Version));
        Assert.Equal(list.Deltas, read.Deltas);
        Assert.StartsWith("{\"deltas\":[{\"base\":", Encoding.UTF8.GetString(list.ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_without_a_delta_says_that_none_is_worth_it() => Assert.Empty(PackageDeltas.Read(new PackageDeltas("till", "2.0", []).ToBytes()).Deltas);

    [Theory]
    [InlineData("\"format\":1", "\"format\":2", "format 2")]
    [InlineData("\"length\":5", "\"length\":0", "'length' is 0")]
    [InlineData("\"length\":5", "\"length\":999999999999", "no delta has")]
    [InlineData("\"length\":5", "\"length\":5.0", "not a whole number")]
    [InlineData("\"base\":\"", "\"base\":\"x", "'base' is no SHA-256")]
    [InlineData("\"name\":\"till\"", "\"name\":\"../till\"", "name")]
    [InlineData("\"name\":\"till\"", "\"name\":\"till\",\"name\":\"till\"", "not valid JSON")]
    public void Anything_else_is_refused(string part, string instead, string why)
    {
        var text = Encoding.UTF8.GetString(new PackageDeltas("till", "2.0", [Delta]).ToBytes());
        Assert.Contains(part, text, StringComparison.Ordinal);

        var refused = Assert.Throws<FormatException>(() => PackageDeltas.Read(Encoding.UTF8.GetBytes(text.Replace(part, instead, StringComparison.Ordinal))));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_deltas_is_no_package_and_a_package_no_list_of_deltas()
    {
        Assert.Null(PackageTarget.Parse(PackageTarget.DeltasOf("till", "2.0")));
        Assert.Null(PackageTarget.ParseDeltas(PackageTarget.PathOf("till", "2.0")));
        Assert.Equal(("till", "2.0"), PackageTarget.ParseDeltas("packages/till/2.0.deltas.json"));
        Assert.Null(PackageTarget.ParseDeltas("packages/till/.deltas.json"));
        Assert.NotNull(PackageTarget.Problem("till", "2.0.deltas"));
    }
}
