using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Headquarters.Devices;

/// <summary>Opens what devices sealed and seals what headquarters tells them.</summary>
public sealed class DeviceEnvelopes(ICertificateIssuer issuer, TimeProvider clock)
{
    private long _counter;

    /// <exception cref="EnvelopeException">Not an envelope of this device, or of a key that is not accepted any more.</exception>
    public (EnvelopeHeader Header, DeviceReport Report) Open(Device device, ReadOnlyMemory<byte> envelope) =>
        Envelope.Open(header => KeysOf(device, header.KeyGeneration), EnvelopeKind.Report, envelope.Span, DeviceReport.Parser);

    /// <summary>Seals an acknowledgement under the key that the report came with.</summary>
    public DeviceEnvelopeDown Seal(Device device, CertificateRecord certificate, ReportAck ack) =>
        Seal(device, certificate, EnvelopeKind.Ack, ack.ReportVersion, ack);

    /// <summary>Seals the desired document under the newest key that the device has proven to hold.</summary>
    public DeviceEnvelopeDown Seal(Device device, DesiredDocument document) =>
        Seal(device, device.Proven, EnvelopeKind.Desired, document.Version, document);

    /// <summary>A wake signal under the newest key that the device has proven to hold.</summary>
    public byte[] Wake(Device device, ulong counter) => WakeSignal.Make(issuer.KeysFor(device.Id, device.Proven), counter);

    private EnvelopeKeys KeysOf(Device device, uint generation) => issuer.KeysFor(device.Id, device.Certificate(generation)
        ?? throw new EnvelopeException($"key generation {generation} is not accepted; the newest is {device.Newest.Generation}"));

    private DeviceEnvelopeDown Seal(Device device, CertificateRecord certificate, EnvelopeKind kind, ulong version, IMessage content) =>
        new(device.Id, Envelope.Seal(issuer.KeysFor(device.Id, certificate), kind, version, NextCounter(), content));

    // Counters rise over restarts without being stored: they follow the clock, one apart at least.
    public ulong NextCounter() => (ulong)(_counter = Math.Max(_counter + 1, clock.GetUtcNow().UtcTicks));
}
