using System.Text;
using Fleet.TestSupport.Apt;
using Fleet.Updates.Apt;
using Org.BouncyCastle.Bcpg;

namespace Fleet.Updates.Tests.Apt;

public sealed class KeyringTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Before = Noon.AddYears(-1);

    [Theory, InlineData("eddsa"), InlineData("rsa"), InlineData("subkey")]
    public void A_text_signed_by_a_key_of_the_ring_is_good(string kind)
    {
        var key = Key(kind);

        Assert.Equal("Date: now\nlast", Verified(key.ClearSign("Date: now\nlast", Noon), key));
    }

    [Theory, InlineData("eddsa"), InlineData("rsa"), InlineData("subkey")]
    public void So_is_a_file_with_its_signature_beside_it(string kind)
    {
        var (key, content) = (Key(kind), Encoding.UTF8.GetBytes("Date: now\n"));

        var verified = new SignedRelease(content, key.Detached(content, Noon)).Verified(Keyring.Read(key.Public, "ring"), Noon, "Release");

        Assert.Equal(content, verified);
    }

    [Fact]
    public void One_key_of_many_is_enough_and_rings_may_be_armored_and_joined()
    {
        var (one, other) = (TestKey.EdDsa(Before), TestKey.Rsa(Before));
        var ring = Keyring.Read((byte[])[.. one.ArmoredPublic, .. other.ArmoredPublic], "ring");

        new SignedRelease(other.ClearSign("x", Noon), null).Verified(ring, Noon, "InRelease");

        Assert.Equal(2, ring.Usable(Noon).Count);
        Assert.Equal(2, Keyring.Read((byte[])[.. one.Public, .. other.Public], "ring").Usable(Noon).Count);
    }

    [Fact]
    public void Dashes_are_unescaped_and_blanks_at_the_ends_of_lines_do_not_count()
    {
        var key = TestKey.EdDsa(Before);

        var text = Verified(key.ClearSign("- a list\n-----BEGIN PGP SIGNATURE-----\ntail  \t\n\nend", Noon), key);

        Assert.Equal("- a list\n-----BEGIN PGP SIGNATURE-----\ntail\n\nend", text);
    }

    [Fact]
    public void Signed_text_may_have_the_line_ends_of_windows()
    {
        var key = TestKey.EdDsa(Before);
        var signed = Encoding.UTF8.GetString(key.ClearSign("a\nb", Noon)).Replace("\n", "\r\n", StringComparison.Ordinal);

        Assert.Equal("a\nb", Verified(Encoding.UTF8.GetBytes(signed), key));
    }

    [Theory]
    [InlineData("before\n", "", "does not begin as signed text does")]
    [InlineData("", "behind\n", "something stands behind its signature")]
    public void Nothing_may_stand_before_or_behind_what_is_signed(string before, string behind, string why)
    {
        var key = TestKey.EdDsa(Before);
        byte[] signed = [.. Encoding.UTF8.GetBytes(before), .. key.ClearSign("a", Noon), .. Encoding.UTF8.GetBytes(behind)];

        Assert.Contains(why, Refused(signed, key, AptFault.Malformed), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Hash: SHA512\n", "Hash: SHA512\nNotDashEscaped: yes\n", AptFault.Malformed)]
    [InlineData("\n\na\n", "\n\na\nDate: tomorrow\n", AptFault.Unsigned)]
    [InlineData("\n\na\n", "\n\n-a\n", AptFault.Malformed)]
    [InlineData("-----END PGP SIGNATURE-----", "", AptFault.Malformed)]
    public void Changed_text_is_refused(string part, string becomes, AptFault fault)
    {
        var key = TestKey.EdDsa(Before);
        var signed = Encoding.UTF8.GetString(key.ClearSign("a", Noon));
        Assert.Contains(part, signed, StringComparison.Ordinal);

        Refused(Encoding.UTF8.GetBytes(signed.Replace(part, becomes, StringComparison.Ordinal)), key, fault);
    }

    [Fact]
    public void A_web_page_is_called_so()
    {
        Assert.Contains("a web page", Refused("<html><body>Sign in to the Wi-Fi"u8.ToArray(), TestKey.EdDsa(Before), AptFault.Malformed), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_key_is_refused_and_named()
    {
        Assert.Contains("is not in the keyring", Refused(TestKey.EdDsa(Before).ClearSign("a", Noon), TestKey.EdDsa(Before), AptFault.Unsigned), StringComparison.Ordinal);
    }

    [Fact]
    public void An_expired_key_is_refused_once_it_has_expired()
    {
        var key = TestKey.EdDsa(Before, validFor: TimeSpan.FromDays(30));
        var signed = new SignedRelease(key.ClearSign("a", Before), null);
        var ring = Keyring.Read(key.Public, "ring");

        signed.Verified(ring, Before.AddDays(29), "InRelease");
        var refused = Assert.Throws<AptException>(() => signed.Verified(ring, Before.AddDays(31), "InRelease"));

        Assert.Contains("expired at", refused.Message, StringComparison.Ordinal);
        Assert.Empty(ring.Usable(Noon));
    }

    [Fact]
    public void A_revoked_key_is_refused_whenever_it_signed()
    {
        var key = TestKey.EdDsa(Before, revoked: true);

        Assert.Contains("is revoked", Refused(key.ClearSign("a", Before), key, AptFault.Unsigned), StringComparison.Ordinal);
    }

    [Fact]
    public void A_slimmed_ring_has_the_keys_that_may_sign_and_no_others()
    {
        var (expired, subkey) = (TestKey.EdDsa(Before, validFor: TimeSpan.FromDays(1)), TestKey.WithSubkey(Before));
        var slim = Keyring.Read((byte[])[.. expired.Public, .. subkey.Public], "ring").Slimmed(Noon);

        new SignedRelease(subkey.ClearSign("x", Noon), null).Verified(Keyring.Read(slim, "ring"), Noon, "InRelease");

        Assert.Equal(2, Keyring.Read(slim, "ring").Fingerprints.Count);
        Assert.Empty(Keyring.Read(expired.Public, "ring").Slimmed(Noon));
    }

    [SkippableFact]
    public void Others_signatures_are_left_out_of_a_slimmed_ring()
    {
        const string Debian = "/usr/share/keyrings/debian-archive-bookworm-automatic.gpg";
        Skip.IfNot(File.Exists(Debian), $"there is no {Debian} here");
        var content = File.ReadAllBytes(Debian);

        var slim = Keyring.Read(content, "ring").Slimmed(DateTimeOffset.UtcNow);

        Assert.InRange(slim.Length, 1, content.Length * 3 / 4);
        Assert.NotEmpty(Keyring.Read(slim, "ring").Usable(DateTimeOffset.UtcNow));
    }

    [Fact]
    public void Short_keys_and_weak_hashes_are_refused()
    {
        var (small, good) = (TestKey.Rsa(Before, bits: 1024), TestKey.EdDsa(Before));

        Assert.Contains("1024 bits", Refused(small.ClearSign("a", Noon), small, AptFault.Unsigned), StringComparison.Ordinal);
        Assert.Contains("too weak", Refused(good.ClearSign("a", Noon, HashAlgorithmTag.Sha1), good, AptFault.Unsigned), StringComparison.Ordinal);
    }

    [Fact]
    public void A_signature_from_the_future_is_refused()
    {
        var key = TestKey.EdDsa(Before);

        Assert.Contains("ahead of this clock", Refused(key.ClearSign("a", Noon.AddDays(30)), key, AptFault.Unsigned), StringComparison.Ordinal);
    }

    [Theory, InlineData(""), InlineData("not a key"), InlineData("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")]
    public void What_is_no_keyring_is_refused(string content)
    {
        Assert.Equal(AptFault.Malformed, Assert.Throws<AptException>(() => Keyring.Read(Encoding.UTF8.GetBytes(content), "ring")).Fault);
    }

    [Fact]
    public void Made_up_packets_are_refused_and_nothing_else_happens()
    {
        var (key, random) = (TestKey.EdDsa(Before), new Random(7));
        var ring = Keyring.Read(key.Public, "ring");
        for (var round = 0; round < 500; round++)
        {
            var signature = key.Detached("a"u8.ToArray(), Noon);
            var noise = key.Public;
            noise[random.Next(noise.Length)] = (byte)random.Next(256);
            try
            {
                Keyring.Read(noise, "ring").Usable(Noon);
            }
            catch (AptException)
            {
                // As it should.
            }

            signature[random.Next(50, signature.Length - 40)] = (byte)"ABCDEFGH"[random.Next(8)];
            try
            {
                ring.Verify("a"u8, isText: false, signature, Noon, "Release");
            }
            catch (AptException)
            {
                // As it should.
            }
        }
    }

    private static TestKey Key(string kind) => kind switch
    {
        "eddsa" => TestKey.EdDsa(Before),
        "rsa" => TestKey.Rsa(Before),
        _ => TestKey.WithSubkey(Before),
    };

    private static string Verified(byte[] signed, TestKey key) => Encoding.UTF8.GetString(new SignedRelease(signed, null).Verified(Keyring.Read(key.Public, "ring"), Noon, "InRelease"));

    private static string Refused(byte[] signed, TestKey key, AptFault fault)
    {
        var refused = Assert.Throws<AptException>(() => new SignedRelease(signed, null).Verified(Keyring.Read(key.Public, "ring"), Noon, "InRelease"));
        Assert.Equal(fault, refused.Fault);
        return refused.Message;
    }
}
