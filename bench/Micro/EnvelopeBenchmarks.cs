using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;

namespace Fleet.Micro;

/// <summary>What a report costs that is sealed by its device and opened by headquarters.</summary>
public class EnvelopeBenchmarks
{
    private readonly ECDiffieHellman _headquarters = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _peer;
    private readonly EnvelopeKeys _keys;
    private readonly DeviceReport _report = Samples.Report(1);
    private readonly byte[] _sealed;

    public EnvelopeBenchmarks()
    {
        using var device = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        _peer = device.ExportSubjectPublicKeyInfo();
        _keys = EnvelopeKeys.Derive(_headquarters, _peer, Samples.Device(1), 1);
        _sealed = Envelope.Seal(_keys, EnvelopeKind.Report, 1, 1, _report);
    }

    [Benchmark]
    public byte[] Seal() => Envelope.Seal(_keys, EnvelopeKind.Report, 1, 1, _report);

    [Benchmark]
    public DeviceReport Open() => Envelope.Open(_keys, EnvelopeKind.Report, _sealed, DeviceReport.Parser).Content;

    /// <summary>All that a gateway does.</summary>
    [Benchmark]
    public EnvelopeHeader ReadHeader() => Envelope.Header(_sealed);

    /// <summary>Once for each device that headquarters has not in its memory.</summary>
    [Benchmark]
    public EnvelopeKeys DeriveKeys() => EnvelopeKeys.Derive(_headquarters, _peer, Samples.Device(1), 1);
}
