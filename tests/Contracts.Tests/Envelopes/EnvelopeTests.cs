using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Google.Protobuf;

namespace Fleet.Contracts.Tests.Envelopes;

public sealed class EnvelopeTests
{
    private static readonly DeviceId Till = new("till-1");
    private readonly EnvelopeKeys _device;
    private readonly EnvelopeKeys _headquarters;

    public EnvelopeTests() => (_device, _headquarters) = Keys(generation: 1);

    [Fact]
    public void What_one_side_seals_the_other_opens()
    {
        var report = new DeviceReport { Version = 7, Inventory = new Agents.Inventory { HostName = "till-1" } };

        var (header, content) = Envelope.Open(_headquarters, EnvelopeKind.Report, Envelope.Seal(_device, EnvelopeKind.Report, 7, 3, report), DeviceReport.Parser);

        Assert.Equal(report, content);
        Assert.Equal(("till-1", 7UL, 3UL, 1u), (header.DeviceId, header.Version, header.Counter, header.KeyGeneration));
    }

    [Fact]
    public void Every_single_flipped_bit_is_refused()
    {
        var sealedParts = SealedEnvelope.Parser.ParseFrom(Envelope.Seal(_headquarters, EnvelopeKind.Ack, 7, 3, new ReportAck { ReportVersion = 7 }));
        (string Name, Func<SealedEnvelope, ByteString> Get, Action<SealedEnvelope, ByteString> Set)[] parts =
        [
            ("header", e => e.Header, (e, b) => e.Header = b),
            ("nonce", e => e.Nonce, (e, b) => e.Nonce = b),
            ("ciphertext", e => e.Ciphertext, (e, b) => e.Ciphertext = b),
        ];

        foreach (var (name, get, set) in parts)
        {
            var original = get(sealedParts).ToByteArray();
            Assert.NotEmpty(original);
            for (var bit = 0; bit < original.Length * 8; bit++)
            {
                var flipped = original.ToArray();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                var altered = sealedParts.Clone();
                set(altered, ByteString.CopyFrom(flipped));
                var refused = Record.Exception(() => Envelope.Open(_device, EnvelopeKind.Ack, altered.ToByteArray(), ReportAck.Parser));
                Assert.True(refused is EnvelopeException, $"bit {bit} of the {name}: {refused?.GetType().Name ?? "was opened"}");
            }
        }
    }

    [Fact]
    public void An_envelope_cut_at_any_byte_is_refused()
    {
        var whole = Envelope.Seal(_headquarters, EnvelopeKind.Ack, 7, 3, new ReportAck { ReportVersion = 7 });

        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Assert.Throws<EnvelopeException>(() => Envelope.Open(_device, EnvelopeKind.Ack, cut, ReportAck.Parser));
        }
    }

    [Fact]
    public void A_report_can_not_be_played_back_down_as_a_document()
    {
        var report = Envelope.Seal(_device, EnvelopeKind.Report, 1, 1, new DeviceReport { Version = 1 });

        Assert.Throws<EnvelopeException>(() => Envelope.Open(_device, EnvelopeKind.Desired, report, DesiredDocument.Parser));
    }

    [Fact]
    public void Another_key_another_device_and_another_generation_open_nothing()
    {
        var document = Envelope.Seal(_headquarters, EnvelopeKind.Desired, 1, 1, new DesiredDocument { Version = 1 });

        Assert.Throws<EnvelopeException>(() => Envelope.Open(Keys(generation: 1).Device, EnvelopeKind.Desired, document, DesiredDocument.Parser));
        Assert.Throws<EnvelopeException>(() => Envelope.Open(Keys(generation: 2).Device, EnvelopeKind.Desired, document, DesiredDocument.Parser));
        Assert.Throws<EnvelopeException>(() => Envelope.Open(Keys(generation: 1, new DeviceId("till-2")).Device, EnvelopeKind.Desired, document, DesiredDocument.Parser));
    }

    [Fact]
    public void An_oversized_envelope_is_refused_before_it_is_read() =>
        Assert.Contains("limit", Assert.Throws<EnvelopeException>(() => Envelope.Header(new byte[Envelope.MaxBytes + 1])).Message);

    [Fact]
    public void Equal_contents_have_equal_hashes_under_fresh_nonces()
    {
        var content = new DeviceReport { Version = 1 };
        var (first, second) = (Envelope.Seal(_device, EnvelopeKind.Report, 1, 1, content), Envelope.Seal(_device, EnvelopeKind.Report, 1, 1, content));

        Assert.NotEqual(first, second);
        Assert.Equal(Envelope.Header(first).ContentHash, Envelope.Header(second).ContentHash);
    }

    private static (EnvelopeKeys Device, EnvelopeKeys Headquarters) Keys(uint generation, DeviceId? device = null)
    {
        using var own = KeyRequest.NewKey();
        using var theirs = KeyRequest.NewKey();
        using var ownAgreement = KeyRequest.Agreement(own);
        using var theirAgreement = KeyRequest.Agreement(theirs);
        return (EnvelopeKeys.Derive(ownAgreement, theirs.ExportSubjectPublicKeyInfo(), device ?? Till, generation),
            EnvelopeKeys.Derive(theirAgreement, own.ExportSubjectPublicKeyInfo(), device ?? Till, generation));
    }
}
