using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Offices;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Devices;

public sealed class KeysAheadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-keys-").FullName;
    private readonly FakeTimeProvider _clock = new(Noon);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Keys_are_derived_at_one_pace_for_all_twins()
    {
        var (issuer, device) = (Issuer(), NewDevice().Known);
        var (ahead, devices) = (new KeysAhead(issuer, _clock, most: 100), Enumerable.Range(0, 30).Select(n => Some(issuer, device, n)).ToList());

        Assert.Equal(10, devices.TakeWhile(ahead.Has).Count());

        _clock.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(20, devices.TakeWhile(ahead.Has).Count());
        Assert.True(issuer.HasKeysFor(devices[19].Id, devices[19].Proven));
    }

    [Fact]
    public void No_more_are_derived_than_are_kept()
    {
        var (issuer, device) = (Issuer(), NewDevice().Known);
        var (ahead, devices) = (new KeysAhead(issuer, _clock, most: 2), Enumerable.Range(0, 3).Select(n => Some(issuer, device, n)).ToList());

        Assert.All(devices, d => Assert.True(ahead.Has(d)));

        Assert.Equal([true, true, false], devices.Select(d => issuer.HasKeysFor(d.Id, d.Proven)));
    }

    private CertificateAuthority Issuer() => CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock);

    private static Device Some(CertificateAuthority issuer, DeviceSnapshot like, int number)
    {
        using var key = KeyRequest.NewKey();
        var id = new DeviceId($"till-{number}");
        return new Device(like with { DeviceId = id, Certificates = [issuer.Issue(PeerIdentity.Of(id), KeyRequest.For(key), 1).Record] });
    }
}
