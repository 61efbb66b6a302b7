using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Identity;

namespace Fleet.Headquarters.Tests.Identity;

public sealed class DerivedKeysTests
{
    private static readonly ECDiffieHellman Own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private static readonly byte[] Peer = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfo();

    [Fact]
    public void A_full_cache_lets_go_of_what_was_not_used_and_keeps_what_was()
    {
        var keys = new DerivedKeys(most: 2);
        var used = Keep(keys, "used");
        Keep(keys, "unused");

        for (var i = 0; i < 5; i++)
        {
            Keep(keys, $"other-{i}");
            Assert.Same(used, keys.Find(used.Device, "1"));
        }

        Assert.Null(keys.Find(new DeviceId("unused"), "1"));
    }

    [Fact]
    public void One_key_too_many_does_not_cost_those_that_were_used_last()
    {
        var keys = new DerivedKeys(most: 3);
        List<EnvelopeKeys> derived = [.. Enumerable.Range(0, 4).Select(i => Keep(keys, $"device-{i}"))];

        Assert.All(derived.TakeLast(3), k => Assert.Same(k, keys.Find(k.Device, "1")));
    }

    [Fact]
    public void Keys_of_another_certificate_of_a_device_are_others()
    {
        var keys = new DerivedKeys(most: 3);
        var kept = Keep(keys, "till");

        Assert.Null(keys.Find(kept.Device, "2"));
    }

    private static EnvelopeKeys Keep(DerivedKeys keys, string device)
    {
        var derived = EnvelopeKeys.Derive(Own, Peer, new DeviceId(device), 1);
        keys.Keep("1", derived);
        return derived;
    }
}
