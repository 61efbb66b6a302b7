using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Google.Protobuf;
using JoinKind = Fleet.Contracts.Agents.JoinKind;

namespace Fleet.Headquarters.Tests;

/// <summary>A machine with a key of its own, as far as headquarters can see one.</summary>
internal sealed class Machine(string name, ulong counter = 0) : IDisposable
{
    private readonly byte[] _fingerprint = RandomNumberGenerator.GetBytes(32);
    private byte[] _headquartersKey = [];
    private ECDsa _key = KeyRequest.NewKey();
    private ECDsa? _nextKey;
    private ulong _counter = counter;

    public DeviceId Id { get; private set; }

    public uint Generation { get; private set; } = 1;

    public byte[] RunId { get; init; } = RandomNumberGenerator.GetBytes(8);

    public EnrolRequest Join(JoinToken token, JoinKind kind = JoinKind.Agent)
    {
        var request = new EnrolRequest
        {
            TokenId = token.Id.Value,
            OfficeId = token.Office.Value,
            Kind = kind,
            Name = name,
            CertificateRequest = ByteString.CopyFrom(KeyRequest.For(_key)),
            Machine = ByteString.CopyFrom(_fingerprint),
        };
        request.Proof = ByteString.CopyFrom(EnrolmentProof.ForRequest(token.Secret, request));
        return request;
    }

    public void Joined(Enrolled enrolled) => (Id, _headquartersKey) = (new DeviceId(enrolled.DeviceId), enrolled.HeadquartersKey.ToByteArray());

    /// <summary>What it shows in a handshake.</summary>
    public X509Certificate2 Certificate(Enrolled enrolled)
    {
        using var leaf = X509CertificateLoader.LoadCertificate(enrolled.CertificateChain[0].Span);
        using var whole = leaf.CopyWithPrivateKey(_key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Reads what headquarters sealed for this machine's key.</summary>
    public byte[] OpenSecret(string purpose, ReadOnlyMemory<byte> secret)
    {
        using var agreement = KeyRequest.Agreement(_key);
        return NodeSecret.Open(agreement, purpose, secret.Span);
    }

    /// <summary>Another machine with this one's identity: the data directory was copied.</summary>
    public Machine Copy(ulong counter) => new(name, counter) { Id = Id, _headquartersKey = _headquartersKey, _key = _key };

    public DeviceReport Report(ulong version, ulong applied = 0, params ulong[] events)
    {
        var report = new DeviceReport
        {
            Version = version,
            RunId = ByteString.CopyFrom(RunId),
            Machine = ByteString.CopyFrom(_fingerprint),
            Inventory = new Inventory { HostName = name, OsName = "Debian", OsVersion = "12" },
            AppliedVersion = applied,
        };
        report.Events.AddRange(events.Select(n => new DeviceEvent { Number = n, Kind = "test", Text = $"event {n}" }));
        return report;
    }

    public DeviceReport WithRenewal(DeviceReport report)
    {
        _nextKey = KeyRequest.NewKey();
        report.RenewalRequest = ByteString.CopyFrom(KeyRequest.For(_nextKey));
        return report;
    }

    public void Renewed()
    {
        (_key, _nextKey) = (_nextKey!, null);
        Generation++;
    }

    public byte[] Seal(DeviceReport report) => Envelope.Seal(Keys(), EnvelopeKind.Report, report.Version, ++_counter, report);

    public ReportAck OpenAck(ReadOnlyMemory<byte> envelope) => Envelope.Open(Keys(), EnvelopeKind.Ack, envelope.Span, ReportAck.Parser).Content;

    public DesiredDocument OpenDesired(ReadOnlyMemory<byte> envelope) => Envelope.Open(Keys(), EnvelopeKind.Desired, envelope.Span, DesiredDocument.Parser).Content;

    public bool Takes(ReadOnlyMemory<byte> wake) => WakeSignal.IsGenuine(Keys(), wake.Span);

    public void Dispose() => _key.Dispose();

    private EnvelopeKeys Keys()
    {
        using var own = KeyRequest.Agreement(_key);
        return EnvelopeKeys.Derive(own, _headquartersKey, Id, Generation);
    }
}
