using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts.Envelopes;

namespace Fleet.Contracts.Tests.Envelopes;

public sealed class NodeSecretTests : IDisposable
{
    private readonly ECDiffieHellman _holder = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _holder.Dispose();

    [Fact]
    public void The_holder_alone_reads_it()
    {
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

        var secret = NodeSecret.Seal(_holder.ExportSubjectPublicKeyInfo(), "password", "hunter2"u8);

        Assert.Equal("hunter2", Encoding.UTF8.GetString(NodeSecret.Open(_holder, "password", secret)));
        Assert.DoesNotContain("hunter2", Encoding.Latin1.GetString(secret), StringComparison.Ordinal);
        Assert.Throws<EnvelopeException>(() => NodeSecret.Open(other, "password", secret));
    }

    [Fact]
    public void It_opens_only_for_its_purpose_and_unaltered()
    {
        var secret = NodeSecret.Seal(_holder.ExportSubjectPublicKeyInfo(), "password", "hunter2"u8);

        Assert.Throws<EnvelopeException>(() => NodeSecret.Open(_holder, "another", secret));
        for (var at = 0; at < secret.Length; at++)
        {
            var altered = secret.ToArray();
            altered[at] ^= 1;
            Assert.Throws<EnvelopeException>(() => NodeSecret.Open(_holder, "password", altered));
        }
    }

    [Fact]
    public void One_that_is_cut_short_is_refused()
    {
        var secret = NodeSecret.Seal(_holder.ExportSubjectPublicKeyInfo(), "password", []);

        for (var length = 0; length < secret.Length; length++)
            Assert.Throws<EnvelopeException>(() => NodeSecret.Open(_holder, "password", secret.AsSpan(0, length)));
    }
}
