using Fleet.Contracts;
using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class VendorRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Vendor Acme = new("acme", new byte[] { 1, 2, 3 }, ["acme-*"], "https://updates.acme.example/fleet");

    [Fact]
    public void A_vendor_stands_in_the_book_under_its_next_version_and_the_same_again_changes_nothing()
    {
        var company = Put(new Company.Company(), Acme);

        Assert.Equal((1UL, "acme"), (company.Updates.Version, Assert.Single(company.Updates.Vendors).Name));
        Assert.Empty(company.Decide(new PutVendor(Acme with { Packages = ["acme-*"] }, "test"), Noon).Events);
    }

    [Fact]
    public void Its_packages_and_source_may_change_and_its_root_never()
    {
        var company = Put(new Company.Company(), Acme);

        var changed = Put(company, Acme with { Packages = ["acme-*", "scale"], Source = "/srv/acme" });
        var refused = Assert.IsType<CompanyRefused>(company.Decide(new PutVendor(Acme with { Root = new byte[] { 9 } }, "test"), Noon).Reply);

        Assert.Equal(("/srv/acme", 2), (Assert.Single(changed.Updates.Vendors).Source, changed.Updates.Vendors[0].Packages.Count));
        Assert.Equal(RefusalCode.NotAllowed, refused.Code);
        Assert.Contains("another first root", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vendor_is_removed_and_a_mistyped_one_is_answered_with_the_one_that_was_meant()
    {
        var company = Put(new Company.Company(), Acme);

        var refused = Assert.IsType<CompanyRefused>(company.Decide(new RemoveVendor("amce", "test"), Noon).Reply);
        var removed = company.Decide(new RemoveVendor("acme", "test"), Noon).Events.Aggregate(company, (c, e) => c.Apply(e));

        Assert.Contains("acme", refused.Detail, StringComparison.Ordinal);
        Assert.Empty(removed.Updates.Vendors);
    }

    [Theory]
    [InlineData("Acme", "acme-*", "/srv/acme", "vendor:")]
    [InlineData("", "acme-*", "/srv/acme", "vendor:")]
    [InlineData("..", "acme-*", "/srv/acme", "vendor:")]
    [InlineData("acme", "Acme", "/srv/acme", "picks no package")]
    [InlineData("acme", "acme-*", "srv/acme", "is no source")]
    [InlineData("acme", "acme-*", "ftp://acme", "is no source")]
    [InlineData("acme", "acme-*", "", "source has")]
    [InlineData("acme", "acme-*", "https://user:secret@acme", "a user or a password")]
    [InlineData("acme", "acme-*", "https://acme/?a=b", "end with a path")]
    public void What_can_not_be_a_vendor_is_refused(string name, string pattern, string source, string why)
    {
        var decision = new Company.Company().Decide(new PutVendor(new Vendor(name, new byte[] { 1 }, [pattern], source), "test"), Noon);

        Assert.Empty(decision.Events);
        Assert.Contains(why, Assert.IsType<CompanyRefused>(decision.Reply).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void All_of_them_fit_into_each_devices_document()
    {
        var company = Put(new Company.Company(), Acme with { Root = new byte[10_000] });

        var refused = Assert.IsType<CompanyRefused>(company.Decide(new PutVendor(Acme with { Name = "other", Root = new byte[10_000] }, "test"), Noon).Reply);

        Assert.Equal(RefusalCode.TooLarge, refused.Code);
    }

    [Fact]
    public void What_was_journaled_before_there_were_vendors_has_none()
    {
        var now = MessagePackSerializer.Serialize(new UpdateBook(7, default, 3, [], [], []), Codec.Options);
        // An array of six in place of seven, without the last, which is empty.
        byte[] old = [0x96, .. now.AsSpan(1, now.Length - 2)];

        Assert.Equal((0x97, 0x90), (now[0], now[^1]));
        Assert.Empty(MessagePackSerializer.Deserialize<UpdateBook>(old, Codec.Options).Vendors);
    }

    private static Company.Company Put(Company.Company company, Vendor vendor)
    {
        var decision = company.Decide(new PutVendor(vendor, "test"), Noon);
        Assert.IsType<CompanyAccepted>(decision.Reply);
        return decision.Events.Aggregate(company, (c, e) => c.Apply(e));
    }
}
