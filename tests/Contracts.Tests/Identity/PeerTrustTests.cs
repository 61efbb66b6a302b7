using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Contracts.Tests.Identity;

public sealed class PeerTrustTests : IDisposable
{
    private static readonly PeerIdentity Node = PeerIdentity.Of(new NodeId("gw1.leeds"));
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void A_certificate_of_the_authority_is_trusted_for_whom_it_names()
    {
        using var certificate = _authority.Issue(Node);

        Assert.Equal(Node, Trust(TimeSpan.Zero).Check(certificate, out var problem));
        Assert.Empty(problem);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_not()
    {
        using var rogue = new TestAuthority();
        using var certificate = rogue.Issue(Node);

        Assert.Null(Trust(TimeSpan.Zero).Check(certificate, out var problem));
        Assert.Contains("not of this headquarters' CA", problem);
    }

    [Fact]
    public void A_self_signed_certificate_and_none_at_all_are_not()
    {
        using var key = KeyRequest.NewKey();
        using var certificate = KeyRequest.SelfSigned(key, _clock);

        Assert.Null(Trust(TimeSpan.Zero).Check(certificate, out _));
        Assert.Null(Trust(TimeSpan.Zero).Check(null, out _));
    }

    [Fact]
    public void A_certificate_that_names_two_is_nobodys()
    {
        using var certificate = Signed("gw1.leeds.office", "headquarters.fleet");

        Assert.Null(PeerIdentity.FromCertificate(certificate));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(-2, true)]
    [InlineData(40, false)]
    [InlineData(-40, false)]
    public void In_the_field_a_clock_may_be_days_off_but_not_weeks(int days, bool trusted)
    {
        using var certificate = _authority.Issue(Node, TimeSpan.FromHours(1));
        var trust = new PeerTrust(_authority.Certificate, new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(days)), PeerTrust.FieldTolerance);

        Assert.Equal(trusted, trust.Check(certificate, out var problem) == Node);
        Assert.Equal(trusted, problem.Length == 0);
    }

    [Fact]
    public void Headquarters_tolerates_no_expired_certificate()
    {
        using var certificate = _authority.Issue(Node, TimeSpan.FromHours(1));
        _clock.SetUtcNow(DateTimeOffset.UtcNow.AddHours(2));

        Assert.Null(Trust(TimeSpan.Zero).Check(certificate, out var problem));
        Assert.Contains("check the clock", problem);
    }

    [Fact]
    public void The_pinned_authority_is_found_in_a_servers_certificate_and_no_other_is()
    {
        using var rogue = new TestAuthority();
        using var genuine = _authority.Issue(PeerIdentity.Headquarters);
        using var forged = rogue.Issue(PeerIdentity.Headquarters);

        Assert.Equal(_authority.Certificate.RawData, PeerTrust.FindPinned(_authority.Pin, [genuine])!.RawData);
        Assert.Null(PeerTrust.FindPinned(_authority.Pin, [forged]));
    }

    [Theory]
    [InlineData("headquarters.fleet", PeerKind.Headquarters, "headquarters")]
    [InlineData("gw1.leeds.office", PeerKind.Node, "gw1.leeds")]
    [InlineData("d1.device", PeerKind.Device, "d1")]
    public void A_logical_host_names_one_of_fleet(string host, PeerKind kind, string id)
    {
        var identity = PeerIdentity.FromLogicalHost(host)!;

        Assert.Equal((kind, id, host), (identity.Kind, identity.Id, identity.LogicalHost));
    }

    [Theory]
    [InlineData("leeds.office.more")]
    [InlineData("gw1.office")]
    [InlineData("a.b.device")]
    [InlineData(".device")]
    [InlineData("HEADQUARTERS.FLEET")]
    [InlineData("www.example.com")]
    public void Other_names_are_nobodys(string host) => Assert.Null(PeerIdentity.FromLogicalHost(host));

    private PeerTrust Trust(TimeSpan tolerance) => new(_authority.Certificate, _clock, tolerance);

    private X509Certificate2 Signed(params string[] names)
    {
        using var key = KeyRequest.NewKey();
        var request = new CertificateRequest("CN=two", key, HashAlgorithmName.SHA256);
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            builder.AddDnsName(name);
        request.CertificateExtensions.Add(builder.Build());
        return request.Create(_authority.Certificate, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
    }
}
