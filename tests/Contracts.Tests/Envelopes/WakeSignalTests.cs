using System.Security.Cryptography;
using Fleet.Contracts.Envelopes;

namespace Fleet.Contracts.Tests.Envelopes;

public sealed class WakeSignalTests
{
    private static readonly DeviceId Till = new("till-1");
    private static readonly ECDiffieHellman Headquarters = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private static readonly ECDiffieHellman Device = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void The_device_takes_what_headquarters_made()
    {
        var signal = WakeSignal.Make(AtHeadquarters(), 77);

        Assert.Equal(WakeSignal.Length, signal.Length);
        Assert.Equal(new WakeSignal(1, 77), WakeSignal.Read(signal));
        Assert.True(WakeSignal.IsGenuine(AtDevice(), signal));
    }

    [Fact]
    public void Any_changed_bit_makes_it_worthless()
    {
        var keys = AtDevice();
        var signal = WakeSignal.Make(AtHeadquarters(), 77);

        for (var bit = 0; bit < signal.Length * 8; bit++)
        {
            signal[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(WakeSignal.IsGenuine(keys, signal), $"bit {bit}");
            signal[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Another_device_or_another_generation_does_not_take_it()
    {
        var signal = WakeSignal.Make(AtHeadquarters(), 77);

        Assert.False(WakeSignal.IsGenuine(EnvelopeKeys.Derive(Device, Headquarters.PublicKey.ExportSubjectPublicKeyInfo(), new DeviceId("till-2"), 1), signal));
        Assert.False(WakeSignal.IsGenuine(EnvelopeKeys.Derive(Device, Headquarters.PublicKey.ExportSubjectPublicKeyInfo(), Till, 2), signal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("46574B31")]
    [InlineData("00000000000000010000000000000001000000000000000000000000000000FF")]
    [InlineData("46574B310000000100000000000000010000000000000000000000000000000000")]
    public void What_is_no_signal_is_told_at_a_glance(string hex) => Assert.Null(WakeSignal.Read(Convert.FromHexString(hex)));

    private static EnvelopeKeys AtHeadquarters() => EnvelopeKeys.Derive(Headquarters, Device.PublicKey.ExportSubjectPublicKeyInfo(), Till, 1);

    private static EnvelopeKeys AtDevice() => EnvelopeKeys.Derive(Device, Headquarters.PublicKey.ExportSubjectPublicKeyInfo(), Till, 1);
}
