using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Headquarters.Devices;

/// <summary>
/// Speaks for one device: opens its envelopes, decides about its reports, seals the answers. Child of the office twin, which alone journals and
/// holds the state, hands it over with each piece of work, and stops this actor once it says that it rests: at once where the device does not report often, since a storm of
/// all devices would leave as many idle actors for the collector to carry along; else when it has been idle.
/// </summary>
public sealed class DeviceActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly OfficeId _office;
    private readonly DeviceId _id;
    private readonly ICertificateIssuer _issuer;
    private readonly DeviceEnvelopes _envelopes;
    private readonly TimeSpan _idleAfter;

    public DeviceActor(OfficeId office, DeviceId id, ICertificateIssuer issuer, TimeProvider clock, TimeSpan idleAfter)
    {
        (_office, _id, _issuer, _envelopes, _idleAfter) = (office, id, issuer, new DeviceEnvelopes(issuer, clock), idleAfter);

        Receive<JudgeReports>(Handle);
        Receive<ReceiveTimeout>(_ => Rest());
    }

    public static Props Props(OfficeId office, DeviceId id, ICertificateIssuer issuer, TimeProvider clock, TimeSpan idleAfter) =>
        Akka.Actor.Props.Create(() => new DeviceActor(office, id, issuer, clock, idleAfter));

    private void Handle(JudgeReports work)
    {
        var device = work.Device;
        var events = new List<IDeviceEvent>();
        var answers = new List<ReportAnswer>();
        foreach (var envelope in work.Envelopes)
        {
            var (happened, answer) = Judge(device, envelope, work.Circumstances);
            device = happened.Aggregate(device, (d, e) => d.Apply(e));
            events.AddRange(happened);
            answers.Add(answer);
        }

        Sender.Tell(new ReportsJudged(_id, events, answers));
        if (work.Circumstances.At - work.Device.Known.ReportedAt > _idleAfter)
            Rest();
        else
            SetReceiveTimeout(_idleAfter);
    }

    private void Rest()
    {
        SetReceiveTimeout(null);
        Context.Parent.Tell(new DeviceTwinIdle(_id));
    }

    private (IReadOnlyList<IDeviceEvent> Events, ReportAnswer Answer) Judge(Device device, ReadOnlyMemory<byte> envelope, ReportCircumstances now)
    {
        try
        {
            var (header, report) = _envelopes.Open(device, envelope);
            var certificate = device.Certificate(header.KeyGeneration)!;
            var decision = device.Decide(_office, header, report, now);
            return decision.Outcome switch
            {
                ReportOutcome.Rejected => Reject(decision.Detail),
                ReportOutcome.Cloned => RefuseClone(device, certificate, report, decision, now),
                _ => Acknowledge(device, certificate, report, decision, now),
            };
        }
        catch (EnvelopeException refused)
        {
            return Reject(refused.Message);
        }
    }

    private (IReadOnlyList<IDeviceEvent>, ReportAnswer) Reject(string why)
    {
        _log.Warning("Report of device {DeviceId} refused: {Reason}", _id, why);
        return ([], new ReportAnswer(new DeviceRefusedDown(_id, RefusalCode.EnvelopeRejected, why), ReportOutcome.Rejected));
    }

    private (IReadOnlyList<IDeviceEvent>, ReportAnswer) RefuseClone(
        Device device, CertificateRecord certificate, DeviceReport report, ReportDecision decision, ReportCircumstances now)
    {
        if (decision.Events.Count > 0)
            _log.Warning("Device {DeviceId} is cloned: {Evidence}", _id, decision.Detail);
        var ack = new ReportAck
        {
            ReportVersion = report.Version,
            HeadquartersTime = now.At.ToTimestamp(),
            Refusal = new Refusal { Code = (int)RefusalCode.Clone, Detail = "another machine uses this identity; enrol this one anew with a token of its own" },
        };
        return (decision.Events, new ReportAnswer(_envelopes.Seal(device, certificate, ack), ReportOutcome.Cloned));
    }

    private (IReadOnlyList<IDeviceEvent>, ReportAnswer) Acknowledge(
        Device device, CertificateRecord certificate, DeviceReport report, ReportDecision decision, ReportCircumstances now)
    {
        var after = decision.Events.Aggregate(device, (d, e) => d.Apply(e));
        // Told twice at most: the journaled version, never the one asked about, so that a late repeat can't set the device back.
        var ack = new ReportAck { ReportVersion = after.Known.ReportedVersion, EventNumber = after.Known.EventNumber, HeadquartersTime = now.At.ToTimestamp(), UpdateTimestamp = now.UpdateTimestamp };
        // Only with the newest report: an old one that a carrier replays must not bring an old key back.
        if (report.RenewalRequest.IsEmpty || report.Version != ack.ReportVersion || Renewed(report.RenewalRequest, certificate.Generation + 1) is not { } renewed)
            return (decision.Events, new ReportAnswer(_envelopes.Seal(after, certificate, ack), decision.Outcome));
        ack.CertificateChain.AddRange(renewed.Chain.Select(c => ByteString.CopyFrom(c.Span)));
        ack.KeyGeneration = renewed.Record.Generation;
        return ([.. decision.Events, new DeviceCertified(_office, _id, renewed.Record, now.At)],
            new ReportAnswer(_envelopes.Seal(after, certificate, ack), decision.Outcome));
    }

    // Always one above the generation that asked: a repeated request replaces the certificate that was not used yet.
    private IssuedCertificate? Renewed(ByteString request, uint generation)
    {
        try
        {
            return _issuer.Issue(PeerIdentity.Of(_id), request.Memory, generation);
        }
        catch (CryptographicException wrong)
        {
            _log.Warning("Renewal of device {DeviceId} refused: {Reason}", _id, wrong.Message);
            return null;
        }
    }
}
