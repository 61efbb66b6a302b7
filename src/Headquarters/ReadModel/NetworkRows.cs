using Fleet.Contracts;
using Fleet.Headquarters.Discovery;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using LinqToDB;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Writes what happens on offices' networks into the tables.</summary>
internal sealed class NetworkRows(ReadModelConnection db)
{
    public void Apply(IOfficeEvent happened)
    {
        switch (happened)
        {
            case PollsScheduled e:
                Change(e.OfficeId, p => p.Plan = MessagePackSerializer.Serialize(e.Plan, Codec.Options));
                break;
            case PollerChosen e:
                Change(e.OfficeId, p => p.Poller = e.NodeId.Value);
                break;
            case PollerReleased e:
                Change(e.OfficeId, p => p.Poller = null);
                break;
            case PollBegun e:
                Insert(e);
                break;
            case PollFinished { Ended: var ended }:
                db.Polls.Where(p => p.PollId == ended.PollId.Value)
                    .Set(p => p.EndedAt, ended.EndedAt).Set(p => p.Outcome, (int)ended.Outcome).Set(p => p.Why, ended.Why).Set(p => p.Done, ended.Probed)
                    .Set(p => p.Found, ended.Found).Set(p => p.Packets, ended.Packets).Set(p => p.CannotSee, string.Join('\n', ended.CannotSee)).Update();
                break;
            case AgentInstallBegun e:
                Insert(e);
                break;
            case AgentInstallJoined e:
                db.Installs.Where(i => i.InstallId == e.InstallId.Value).Set(i => i.DeviceId, e.DeviceId.Value).Update();
                break;
            case AgentInstallEnded e:
                db.Installs.Where(i => i.InstallId == e.InstallId.Value)
                    .Set(i => i.EndedAt, e.At).Set(i => i.Outcome, (int)e.Outcome).Set(i => i.Detail, e.Detail).Set(i => i.HostKey, e.HostKey).Update();
                break;
            case DeviceDiscovered e:
                db.InsertOrReplace(RowOf(e.OfficeId, e.Device));
                break;
            case DiscoveredDevicesSeen e:
                foreach (var device in e.Devices.Where(d => db.Discovered.Any(r => r.DiscoveredId == d.DiscoveredId.Value)))
                    db.InsertOrReplace(RowOf(e.OfficeId, device));
                break;
            case DiscoveredDeviceIgnored e:
                db.Discovered.Where(d => d.DiscoveredId == e.DiscoveredId.Value).Set(d => d.Ignored, e.Ignored).Update();
                break;
            case DiscoveredDeviceGone e:
                db.Discovered.Delete(d => d.DiscoveredId == e.DiscoveredId.Value);
                break;
            default:
                throw new NotSupportedException($"{happened.GetType().Name} has no place in the read model");
        }
    }

    public void Begin(OfficeSnapshot snapshot)
    {
        foreach (var install in snapshot.Installs ?? [])
            Insert(install.Begun);
        if (snapshot.Network is { } network)
            Begin(snapshot.OfficeId, network);
    }

    private void Begin(OfficeId office, NetworkSnapshot network)
    {
        Change(office, p => (p.Poller, p.Plan) = (network.Poller?.Value, network.Plan is { } plan ? MessagePackSerializer.Serialize(plan, Codec.Options) : null));
        foreach (var open in network.Open)
            Insert(open);
        foreach (var device in network.Discovered)
            db.InsertOrReplace(RowOf(office, device));
    }

    /// <summary>Forgets what is on an office's network now, and what goes on there.</summary>
    public void Clear(OfficeId office)
    {
        db.Pollings.Delete(p => p.OfficeId == office.Value);
        db.Polls.Delete(p => p.OfficeId == office.Value && p.EndedAt == null);
        db.Installs.Delete(i => i.OfficeId == office.Value && i.EndedAt == null);
        db.Discovered.Delete(d => d.OfficeId == office.Value);
    }

    /// <summary>The office is no more.</summary>
    public void Close(OfficeId office)
    {
        db.Pollings.Delete(p => p.OfficeId == office.Value);
        db.Polls.Delete(p => p.OfficeId == office.Value);
        db.Installs.Delete(i => i.OfficeId == office.Value);
        db.Discovered.Delete(d => d.OfficeId == office.Value);
    }

    private void Change(OfficeId office, Action<PollingRow> change)
    {
        var row = db.Pollings.FirstOrDefault(p => p.OfficeId == office.Value) ?? new PollingRow { OfficeId = office.Value };
        change(row);
        db.InsertOrReplace(row);
    }

    private void Insert(PollBegun e) => db.InsertOrReplace(new PollRow
    {
        PollId = e.PollId.Value, OfficeId = e.OfficeId.Value, NodeId = e.NodeId.Value, Method = (int)e.Method, Full = e.Full, Ranges = string.Join(", ", e.Ranges), AskedBy = e.By, BegunAt = e.At,
    });

    private void Insert(AgentInstallBegun e) => db.InsertOrReplace(new InstallRow
    {
        InstallId = e.InstallId.Value, OfficeId = e.OfficeId.Value, DiscoveredId = e.DiscoveredId.Value, Name = e.Name, NodeId = e.NodeId.Value, Address = e.Address, Port = e.Port, BegunAt = e.At,
    });

    private static DiscoveredRow RowOf(OfficeId office, DiscoveredDevice d) => new()
    {
        DiscoveredId = d.DiscoveredId.Value, OfficeId = office.Value, Name = DiscoveredRule.NameOf(d), Mac = d.Mac, Vendor = Vendors.Of(d.Mac),
        Addresses = string.Join(", ", d.Addresses.Select(a => a.Address)), Services = string.Join(", ", d.Services.Select(DiscoveredRule.Name)),
        FirstSeen = d.FirstSeen, LastSeen = d.LastSeen, SeenBy = d.SeenBy.Value, SeenWith = (int)d.SeenWith, Ignored = d.Ignored,
        Device = MessagePackSerializer.Serialize(d, Codec.Options),
    };
}
