using System.Security.Cryptography;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Installs;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using Google.Protobuf;
using MessagePack;

namespace Fleet.Headquarters.Offices;

/// <summary>Decides about everything in a batch but device reports, which it hands to the devices' twins. Part of the office twin, on its thread.</summary>
internal sealed class OfficeIntake(OfficeTools tools, Presence presence, OfficeWakes wakes, OfficeNetwork network, Action<object> publish, ILoggingAdapter log)
{
    private DateTimeOffset _refusalHour;
    private int _refusals;

    /// <summary>Decides the batch's items in order; reports are left waiting in the batch.</summary>
    public void Take(OfficeBatch batch, DateTimeOffset now)
    {
        foreach (var work in batch.Works)
            foreach (var group in work.Items.GroupBy(i => HomeOf(batch.Working, work, i)))
            {
                if (group.Key is { } elsewhere)
                    tools.Offices().Tell(work.Forward([.. group], elsewhere), work.Sender);
                else
                    foreach (var item in group)
                        Take(batch, work, item, now);
            }
    }

    /// <summary>Judges a newcomer; refusals are logged, and journaled up to the hourly cap.</summary>
    public EnrolmentDecision Enrol(Office office, ReadOnlyMemory<byte> request, DateTimeOffset now)
    {
        if (tools.Overload.PutOff(Deferrable.Enrolments) is { } wait)
            return new EnrolmentDecision([], Enrolment.ComeLater(wait), null);
        EnrolmentDecision decision;
        try
        {
            decision = Enrolment.Decide(office, EnrolRequest.Parser.ParseFrom(request.Span), tools.Issuer, NewIds.Device(), now);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            const RefusalCode code = RefusalCode.Invalid;
            decision = new EnrolmentDecision([], Enrolment.Refusal(code, "the enrolment request is malformed"), new EnrolmentRefused(office.Id, "", code, malformed.Message, now));
        }

        if (decision.Refusal is not { } refused)
            return decision;
        tools.Meter.EnrolmentRefused();
        log.Warning("Enrolment of '{Name}' in office {OfficeId} refused: {Code}, {Detail}", refused.Name, office.Id, refused.Code, refused.Detail);
        return office.IsOpen && MayJournalRefusal(now) ? decision with { Events = [refused] } : decision;
    }

    public static bool Same(NodeReport? one, NodeReport other) =>
        one is not null && MessagePackSerializer.Serialize(one, Codec.Options).AsSpan().SequenceEqual(MessagePackSerializer.Serialize(other, Codec.Options));

    // Null: here. A device that is not known here is looked for at the office that it names, but only once.
    private static OfficeId? HomeOf(Office office, OfficeWork work, IUpItem item)
    {
        if (item is not IDeviceUpItem { DeviceId: var id, OfficeHint: var hint } || office.Devices.ContainsKey(id))
            return null;
        if (office.Forwards.TryGetValue(id, out var forward))
            return forward.To;
        return hint != office.Id && !work.Forwarded ? hint : null;
    }

    private void Take(OfficeBatch batch, OfficeWork work, IUpItem item, DateTimeOffset now)
    {
        var office = batch.Working;
        if (work is { Through: null, Forwarded: false } && item is IDeviceUpItem { DeviceId: var met })
            presence.MetDirectly(met);
        switch (item)
        {
            case DeviceEnvelopeUp up when office.Devices.ContainsKey(up.DeviceId):
                batch.Await(up.DeviceId, work, up.Envelope);
                break;
            case DesiredWanted wanted when office.Devices.ContainsKey(wanted.DeviceId):
                work.Wanted[wanted.DeviceId] = wanted.HeldVersion;
                break;
            case DeviceEnvelopeUp { DeviceId: var id }:
                RefuseUnknown(office, work, id);
                break;
            case DesiredWanted { DeviceId: var id }:
                RefuseUnknown(office, work, id);
                break;
            case PresenceDigest digest:
                foreach (var seen in digest.Seen)
                    if (office.Devices.TryGetValue(seen.DeviceId, out var device))
                    {
                        presence.Seen(seen.DeviceId, seen.At, now, work.Through);
                        Add(batch, wakes.Synced(office, device, seen.At, now));
                    }

                break;
            case LinesDigest digest:
                Take(office, digest, work.Through, now);
                break;
            case DeviceWoken woken when office.Devices.TryGetValue(woken.DeviceId, out var device):
                presence.Seen(woken.DeviceId, now, now, work.Through);
                Add(batch, wakes.Woken(office, device, woken.Counter, woken.Trace, now));
                break;
            case WakeFailed failed when office.Devices.TryGetValue(failed.DeviceId, out var device):
                Add(batch, wakes.Failed(office, device, failed.Counter, failed.Channel, failed.Why, now));
                break;
            case DeviceWoken or WakeFailed:
                // Of a device that is gone.
                break;
            case EnrolmentUp enrolment:
                var decision = Enrol(office, enrolment.Request, now);
                batch.Add(decision.Events);
                work.Answers.Add(new EnrolmentDown(enrolment.RequestId, decision.Reply.ToByteArray()));
                break;
            case NodeReport report when work.Through is { } node:
                if (!Same(office.Nodes[node].Report, report))
                    batch.Add([new NodeReported(office.Id, node, report, now)]);
                break;
            case NodeEvent entry when work.Through is { } node:
                if (entry.Number > office.Nodes[node].EventNumber)
                    batch.Add([new NodeEventRecorded(office.Id, node, entry, now)]);
                work.Answers.RemoveAll(a => a is NodeEventsStored);
                work.Answers.Add(new NodeEventsStored(batch.Working.Nodes[node].EventNumber));
                break;
            case IPollUpItem { Method: var method } when !Enum.IsDefined(method):
                log.Warning("A poll of office {OfficeId} by method {Method}, which this version does not know, is dropped", office.Id, (int)method);
                break;
            case PollProgress progress when work.Through is { } node:
                batch.Add(network.Take(office, node, progress, now));
                break;
            case Sightings when work.Through is not null && tools.Overload.PutOff(Deferrable.Lists) is not null:
                // The next poll sees them again.
                break;
            case Sightings sightings when work.Through is { } node:
                batch.Add(network.Take(office, node, sightings, now));
                break;
            case PollEnded ended when work.Through is { } node:
                batch.Add(network.Take(office, node, ended, now));
                break;
            case InstallProgress progress when work.Through is { } node:
                network.Take(office, node, progress);
                break;
            case InstallEnded ended when work.Through is { } node:
                batch.Add(InstallRules.Ended(office, node, ended, now));
                break;
            case ContentCounts counts when work.Through is { } node:
                publish(new ContentCounted(node, counts, now));
                break;
            case NodeRenewal renewal when work.Through is { } node:
                Renew(batch, work, office.Nodes[node], renewal, now);
                break;
            default:
                log.Warning("{Item} in office {OfficeId} came from none of its nodes and is dropped", item.GetType().Name, office.Id);
                break;
        }
    }

    private void Take(Office office, LinesDigest digest, NodeId? at, DateTimeOffset now)
    {
        foreach (var line in digest.Lines)
            if (office.Devices.TryGetValue(line.DeviceId, out var device))
            {
                presence.Line(line, at, now);
                // A better way than the one being tried may have come back.
                if (line.End == LineEnd.None)
                    wakes.Begin(office, device);
            }
    }

    private static void Add(OfficeBatch batch, DeviceWakeEnded? ended)
    {
        if (ended is not null)
            batch.Add([ended]);
    }

    // Forwarded: the device may be on its way here; it asks again, and only its own office's twin may refuse it.
    private static void RefuseUnknown(Office office, OfficeWork work, DeviceId device)
    {
        if (!work.Forwarded)
            work.Answers.Add(new DeviceRefusedDown(device, RefusalCode.Removed, $"office {office.Id} has no device {device}: it was removed, or its office was; enrol it anew"));
    }

    private void Renew(OfficeBatch batch, OfficeWork work, NodeSnapshot node, NodeRenewal renewal, DateTimeOffset now)
    {
        try
        {
            var issued = tools.Issuer.Issue(PeerIdentity.Of(node.NodeId), renewal.CertificateRequest, node.Certificates[^1].Generation + 1);
            batch.Add([new NodeCertified(batch.Working.Id, node.NodeId, issued.Record, now)]);
            work.Answers.Add(new NodeRenewed(issued.Chain));
        }
        catch (CryptographicException wrong)
        {
            log.Warning("Renewal of node {NodeId} refused: {Reason}", node.NodeId, wrong.Message);
        }
    }

    private bool MayJournalRefusal(DateTimeOffset now)
    {
        if (now - _refusalHour >= TimeSpan.FromHours(1))
            (_refusalHour, _refusals) = (now, 0);
        return ++_refusals <= tools.Options.RefusalsPerHour;
    }
}
