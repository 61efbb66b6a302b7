using System.Net;
using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Messages.Link;
using Google.Protobuf;

namespace Fleet.Gateway.Tests;

/// <summary>The names, envelopes and settings that these tests share.</summary>
internal static class TestFleet
{
    public const string Epoch = "epoch-1";
    public static readonly DeviceId Till = new("till-1");
    public static readonly OfficeId Leeds = new("leeds");

    public static readonly GatewayOptions Options = new(IPAddress.Loopback, 0, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10),
        MaxDevices: 100, MaxCacheBytes: 1_000_000, MaxWaiting: 10, MaxConnections: 100, ReturnsPerSecond: 100, CallsPerDevice: 20);

    private static readonly EnvelopeKeys Keys = EnvelopeKeys.Derive(
        ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256), ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256).PublicKey.ExportSubjectPublicKeyInfo(), Till, 1);

    public static byte[] Sealed(EnvelopeKind kind, ulong version) => Envelope.Seal(Keys, kind, version, counter: version, new DeviceReport { Version = version });

    public static DeviceEnvelopeDown Down(EnvelopeKind kind, ulong version) => new(Till, Sealed(kind, version));

    public static DeviceState State(ulong desired, ulong reported) => new(Till, desired, reported, TimeSpan.FromMinutes(15));

    public static SyncRequest Request(ulong desired, ulong reported, ulong acknowledged, byte[]? report = null, string run = "run-a") => new()
    {
        DeviceId = Till.Value,
        OfficeId = Leeds.Value,
        DesiredVersion = desired,
        ReportedVersion = reported,
        AcknowledgedVersion = acknowledged,
        Envelope = ByteString.CopyFrom(report ?? []),
        RunId = ByteString.CopyFromUtf8(run),
    };
}
