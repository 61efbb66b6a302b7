using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Fleet.Cli.Tests.Rollouts;

/// <summary>A device that says of its packages what a test wants, straight to headquarters.</summary>
internal sealed class ReportingDevice : IDisposable
{
    private readonly ECDsa _key = KeyRequest.NewKey();
    private readonly byte[] _machine = RandomNumberGenerator.GetBytes(32);
    private readonly string _address;
    private readonly OfficeId _office;
    private EnvelopeKeys _keys = null!;
    private X509Certificate2 _certificate = null!;
    private ulong _version;

    private ReportingDevice(string address, OfficeId office) => (_address, _office) = (address, office);

    public DeviceId Id { get; private set; }

    public static async Task<ReportingDevice> Enrol(string address, JoinToken token, string name)
    {
        var device = new ReportingDevice(address, token.Office);
        var request = new EnrolRequest
        {
            TokenId = token.Id.Value,
            OfficeId = token.Office.Value,
            Kind = JoinKind.Agent,
            Name = name,
            CertificateRequest = ByteString.CopyFrom(KeyRequest.For(device._key)),
            Machine = ByteString.CopyFrom(device._machine),
        };
        request.Proof = ByteString.CopyFrom(EnrolmentProof.ForRequest(token.Secret, request));
        using var self = KeyRequest.SelfSigned(device._key, TimeProvider.System);
        using var channel = device.Dial(self);
        var enrolled = (await new AgentGateway.AgentGatewayClient(channel).EnrolAsync(request)).Enrolled;
        using var agreement = KeyRequest.Agreement(device._key);
        using var issued = X509CertificateLoader.LoadCertificate(enrolled.CertificateChain[0].Span);
        using var both = issued.CopyWithPrivateKey(device._key);
        device.Id = new DeviceId(enrolled.DeviceId);
        device._keys = EnvelopeKeys.Derive(agreement, enrolled.HeadquartersKey.Span, device.Id, 1);
        device._certificate = X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
        return device;
    }

    public async Task Report(params PackageStatus[] packages)
    {
        var report = new DeviceReport { Version = ++_version, Machine = ByteString.CopyFrom(_machine), Inventory = new Inventory { HostName = "till" }, Packages = { packages } };
        using var channel = Dial(_certificate);
        await new AgentGateway.AgentGatewayClient(channel).SyncAsync(new SyncRequest
        {
            DeviceId = Id.Value,
            OfficeId = _office.Value,
            ReportedVersion = _version,
            Envelope = ByteString.CopyFrom(Envelope.Seal(_keys, EnvelopeKind.Report, _version, _version, report)),
            RunId = ByteString.CopyFromUtf8("run"),
        });
    }

    public void Dispose()
    {
        _key.Dispose();
        _certificate.Dispose();
    }

    private GrpcChannel Dial(X509Certificate2 certificate) => GrpcChannel.ForAddress($"https://{_address}", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true, LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate } },
        DisposeHttpClient = true,
    });
}
