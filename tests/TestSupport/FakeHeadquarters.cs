using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.TestSupport;

/// <summary>
/// Headquarters as one device sees it, by the rules of the contract: enrols, opens reports, seals documents and acknowledgements, renews
/// certificates. Really seals and really signs; keeps everything it was told for tests to look at.
/// </summary>
public sealed class FakeHeadquarters : IDisposable
{
    private readonly ECDsa _key = KeyRequest.NewKey();
    private readonly TimeProvider _clock;
    private readonly Dictionary<uint, byte[]> _deviceKeys = [];
    private IReadOnlyList<byte[]> _renewed = [];
    private uint _renewedGeneration;
    private ulong _counter;

    public FakeHeadquarters(TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        Authority = new TestAuthority(_clock);
        Token = JoinToken.Create(new OfficeId("leeds"), new TokenId("t1"), Authority.Pin);
    }

    public TestAuthority Authority { get; }

    public JoinToken Token { get; }

    public DeviceId Device { get; } = new("d1");

    public TimeSpan CertificateLife { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Every report that was opened, in order of arrival.</summary>
    public List<DeviceReport> Reports { get; } = [];

    public List<EnrolRequest> Enrolments { get; } = [];

    public ulong EventNumber { get; private set; }

    /// <summary>The device's key generation, as its newest report shows it.</summary>
    public uint Generation { get; private set; } = 1;

    /// <summary>What the device should be; null = nothing yet.</summary>
    public DesiredDocument? Desired { get; set; }

    public EnrolReply Enrol(EnrolRequest request)
    {
        Enrolments.Add(request);
        if (!EnrolmentProof.Matches(EnrolmentProof.ForRequest(Token.Secret, request), request.Proof.Span))
            return new EnrolReply { Refusal = new Refusal { Code = (int)RefusalCode.ProofFailed, Detail = "the proof does not match" } };
        LearnKey(1, request.CertificateRequest.ToByteArray());
        var enrolled = new Enrolled
        {
            Id = request.Kind == JoinKind.Node ? $"{request.Name}.leeds" : Device.Value,
            DeviceId = request.Kind == JoinKind.Node ? Device.Value : "",
            OfficeId = "leeds",
            HeadquartersKey = ByteString.CopyFrom(_key.ExportSubjectPublicKeyInfo()),
        };
        var identity = request.Kind == JoinKind.Node ? PeerIdentity.Of(new NodeId(enrolled.Id)) : PeerIdentity.Of(Device);
        enrolled.CertificateChain.AddRange(Authority.Answer(identity, request.CertificateRequest.ToByteArray(), CertificateLife).Select(c => ByteString.CopyFrom(c)));
        enrolled.Proof = ByteString.CopyFrom(EnrolmentProof.ForReply(Token.Secret, request, enrolled));
        return new EnrolReply { Enrolled = enrolled };
    }

    /// <summary>Opens a report and acknowledges it.</summary>
    public byte[] Take(ByteString envelope, Refusal? refusal = null)
    {
        var header = Envelope.Header(envelope.Span);
        var (_, report) = Envelope.Open(KeysOf(header.KeyGeneration), EnvelopeKind.Report, envelope.Span, DeviceReport.Parser);
        Reports.Add(report);
        Generation = header.KeyGeneration;
        foreach (var reported in report.Events.Where(e => e.Number > EventNumber))
            EventNumber = reported.Number;
        // Once per generation: a repeated report gets the same certificate again.
        if (!report.RenewalRequest.IsEmpty && _renewedGeneration <= header.KeyGeneration)
        {
            _renewedGeneration = header.KeyGeneration + 1;
            _renewed = Authority.Answer(PeerIdentity.Of(Device), report.RenewalRequest.ToByteArray());
            LearnKey(_renewedGeneration, report.RenewalRequest.ToByteArray());
        }

        return Acknowledge(report.Version, EventNumber, header.KeyGeneration, refusal, withCertificate: !report.RenewalRequest.IsEmpty);
    }

    public byte[] Acknowledge(ulong version, ulong eventNumber, uint generation = 1, Refusal? refusal = null, bool withCertificate = false)
    {
        var ack = new ReportAck { ReportVersion = version, EventNumber = eventNumber, HeadquartersTime = Timestamp.FromDateTimeOffset(_clock.GetUtcNow()), Refusal = refusal };
        if (withCertificate)
        {
            ack.KeyGeneration = _renewedGeneration;
            ack.CertificateChain.AddRange(_renewed.Select(c => ByteString.CopyFrom(c)));
        }

        return Envelope.Seal(KeysOf(generation), EnvelopeKind.Ack, version, ++_counter, ack);
    }

    /// <summary>Seals the present desired document.</summary>
    public byte[] SealDesired(uint generation = 1) => Envelope.Seal(KeysOf(generation), EnvelopeKind.Desired, Desired!.Version, ++_counter, Desired);

    public EnvelopeKeys KeysOf(uint generation)
    {
        using var agreement = KeyRequest.Agreement(_key);
        return EnvelopeKeys.Derive(agreement, _deviceKeys[generation], Device, generation);
    }

    /// <summary>The answer of an honest gateway with a working link.</summary>
    public SyncReply Sync(SyncRequest request)
    {
        var reply = new SyncReply { HeadquartersReachable = true };
        if (!request.Envelope.IsEmpty)
            reply.Envelopes.Add(ByteString.CopyFrom(Take(request.Envelope)));
        if (Desired is not null && Desired.Version > request.DesiredVersion)
            reply.Envelopes.Add(ByteString.CopyFrom(SealDesired(Generation)));
        reply.Outcome = reply.Envelopes.Count > 0 ? SyncReply.Types.Outcome.Delivered : SyncReply.Types.Outcome.NothingNew;
        return reply;
    }

    public void Dispose()
    {
        Authority.Dispose();
        _key.Dispose();
    }

    private void LearnKey(uint generation, byte[] certificateRequest) =>
        _deviceKeys[generation] = CertificateRequest.LoadSigningRequest(certificateRequest, HashAlgorithmName.SHA256).PublicKey.ExportSubjectPublicKeyInfo();
}
