namespace Fleet.Contracts.Tests;

public sealed class IdsTests
{
    [Theory]
    [InlineData("leeds")]
    [InlineData("a")]
    [InlineData("leeds-2")]
    [InlineData("0")]
    public void A_safe_name_is_an_id(string text) => Assert.Equal(text, new OfficeId(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Leeds")]
    [InlineData("-leeds")]
    [InlineData("leeds-")]
    [InlineData("le eds")]
    [InlineData("leeds.office")]
    [InlineData("le/eds")]
    [InlineData("..")]
    [InlineData("lééds")]
    public void An_unsafe_name_is_refused(string? text)
    {
        Assert.Throws<ArgumentException>(() => new OfficeId(text!));
        Assert.Throws<ArgumentException>(() => new DeviceId(text!));
        Assert.Throws<ArgumentException>(() => new TokenId(text!));
        Assert.Throws<ArgumentException>(() => new PolicyName(text!));
    }

    [Fact]
    public void An_id_part_is_one_dns_label_at_most()
    {
        Assert.Equal(63, new DeviceId(new string('a', 63)).Value.Length);
        Assert.Throws<ArgumentException>(() => new DeviceId(new string('a', 64)));
    }

    [Fact]
    public void A_node_is_named_with_its_office()
    {
        var node = NodeId.Of("gw1", new OfficeId("leeds"));

        Assert.Equal(("gw1.leeds", new OfficeId("leeds")), (node.Value, node.Office));
        Assert.Throws<ArgumentException>(() => new NodeId("gw1"));
        Assert.Throws<ArgumentException>(() => new NodeId("gw1.leeds.more"));
    }
}
