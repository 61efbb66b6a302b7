using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Identity;

public sealed class CertificateAuthorityTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PeerIdentity Gateway = PeerIdentity.Of(new NodeId("gw1.leeds"));

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-identity-").FullName;
    private readonly FakeTimeProvider _clock = new(Noon);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_node_certificate_is_trusted_and_names_the_node()
    {
        var authority = Open();
        using var key = KeyRequest.NewKey();

        var issued = authority.Issue(Gateway, KeyRequest.For(key), 1);

        using var leaf = X509CertificateLoader.LoadCertificate(issued.Chain[0].Span);
        Assert.Equal(Gateway, authority.Trust.Check(leaf, out _));
        Assert.Equal(leaf.SerialNumber, issued.Record.Serial);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), issued.Record.PublicKey.ToArray());
        Assert.Equal(Noon - TimeSpan.FromMinutes(5), leaf.NotBefore.ToUniversalTime());
        Assert.Equal(Noon + TimeSpan.FromDays(30), issued.Record.NotAfter);
    }

    [Fact]
    public void The_same_directory_gives_the_same_authority_and_envelope_key()
    {
        var first = Open();

        var second = Open();

        Assert.Equal(PeerTrust.PinOf(first.Authority), PeerTrust.PinOf(second.Authority));
        Assert.Equal(first.EnvelopePublicKey, second.EnvelopePublicKey);
    }

    [Fact]
    public void Private_keys_are_for_the_owner_alone()
    {
        Open();

        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.GetFiles(Path.Combine(_directory, "identity"), "*.key"))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void A_year_before_the_authority_ends_it_is_said_and_nothing_outlives_it()
    {
        Open();
        _clock.Advance(TimeSpan.FromDays((20 * 365) - 366));
        Assert.Null(Open().EndsSoon());

        _clock.Advance(TimeSpan.FromDays(346));
        var authority = Open();
        using var key = KeyRequest.NewKey();

        Assert.StartsWith("the CA runs out at 2046-02-24 12:00:00Z", authority.EndsSoon(), StringComparison.Ordinal);
        Assert.Equal(authority.Authority.NotAfter.ToUniversalTime(), authority.Issue(Gateway, KeyRequest.For(key), 1).Record.NotAfter);
    }

    [Fact]
    public void Headquarters_own_certificate_renews_itself_after_two_thirds_of_its_life()
    {
        var authority = Open();
        var first = authority.Own();

        _clock.Advance(TimeSpan.FromDays(19));
        Assert.Same(first, authority.Own());
        _clock.Advance(TimeSpan.FromDays(2));
        var second = authority.Own();

        Assert.NotEqual(first.SerialNumber, second.SerialNumber);
        Assert.Equal(PeerIdentity.Headquarters, authority.Trust.Check(second, out _));
        Assert.True(second.HasPrivateKey);
    }

    [Fact]
    public void A_newcomer_finds_the_pinned_authority_in_the_certificate_it_is_shown()
    {
        var authority = Open();
        using var shown = X509CertificateLoader.LoadCertificate(authority.Own().RawData);

        var found = PeerTrust.FindPinned(PeerTrust.PinOf(authority.Authority), [shown]);

        Assert.Equal(authority.Authority.RawData, found!.RawData);
        Assert.Null(PeerTrust.FindPinned(new byte[32], [shown]));
    }

    [Fact]
    public void A_request_that_was_altered_is_refused()
    {
        var authority = Open();
        using var key = KeyRequest.NewKey();
        var request = KeyRequest.For(key);
        request[^1] ^= 1;

        Assert.ThrowsAny<CryptographicException>(() => authority.Issue(Gateway, request, 1));
    }

    [Fact]
    public void A_request_for_another_kind_of_key_is_refused()
    {
        var authority = Open();
        using var rsa = RSA.Create(2048);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.ThrowsAny<CryptographicException>(() => authority.Issue(
            Gateway, new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(), 1));
        Assert.ThrowsAny<CryptographicException>(() => authority.Issue(Gateway, new CertificateRequest("CN=x", p384, HashAlgorithmName.SHA256).CreateSigningRequest(), 1));
    }

    [Fact]
    public void Device_and_headquarters_derive_the_same_envelope_keys()
    {
        var authority = Open();
        var device = new DeviceId("till-1");
        using var key = KeyRequest.NewKey();
        var record = authority.Issue(PeerIdentity.Of(device), KeyRequest.For(key), 1).Record;
        using var agreement = KeyRequest.Agreement(key);
        var ofDevice = EnvelopeKeys.Derive(agreement, authority.EnvelopePublicKey, device, 1);

        var envelope = Envelope.Seal(authority.KeysFor(device, record), EnvelopeKind.Ack, 4, 1, new ReportAck { ReportVersion = 4 });

        Assert.Equal(4ul, Envelope.Open(ofDevice, EnvelopeKind.Ack, envelope, ReportAck.Parser).Content.ReportVersion);
    }

    [Theory]
    [InlineData("authority.key", "is missing")]
    [InlineData("envelope.key", "is missing")]
    public void A_directory_with_a_missing_part_is_refused_and_left_alone(string file, string problem)
    {
        Open();
        File.Delete(Path.Combine(_directory, "identity", file));

        var refused = Assert.Throws<IdentityException>(Open);

        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_directory, "identity", file)));
    }

    [Fact]
    public void Foreign_files_are_refused_with_what_to_do()
    {
        Open();
        File.WriteAllText(Path.Combine(_directory, "identity", "authority.crt"), "not a certificate");

        var refused = Assert.Throws<IdentityException>(Open);

        Assert.Contains("restore", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_and_a_key_of_two_authorities_are_refused()
    {
        var other = Directory.CreateTempSubdirectory("fleet-identity-").FullName;
        CertificateAuthority.OpenOrCreate(other, Options, _clock);
        Open();
        File.Copy(Path.Combine(other, "identity", "authority.crt"), Path.Combine(_directory, "identity", "authority.crt"), overwrite: true);

        Assert.Throws<IdentityException>(Open);
        Directory.Delete(other, recursive: true);
    }

    [SkippableFact]
    public void A_key_that_others_can_read_is_refused()
    {
        Skip.If(OperatingSystem.IsWindows(), "file modes are of Unix");
        Open();
        var path = Path.Combine(_directory, "identity", "authority.key");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupRead);

        var refused = Assert.Throws<IdentityException>(Open);

        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    private static IdentityOptions Options { get; } = new(TimeSpan.FromDays(30));

    private CertificateAuthority Open() => CertificateAuthority.OpenOrCreate(_directory, Options, _clock);
}
