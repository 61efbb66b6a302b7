using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using Fleet.Swarm;
using Fleet.Swarm.Identities;
using LinqToDB;
using LinqToDB.Data;
using MessagePack;

namespace Fleet.Bench;

/// <summary>
/// Makes a fleet larger than anybody would wait for: what enrolled offices came to is written into the journal of a headquarters that does not run again and again, under other names, as a
/// twin's own snapshot would be. Nodes get certificates of their own; devices have the keys of those that they are copies of, and other keys of envelopes, since a device's id goes into these.
/// </summary>
/// <param name="data">Headquarters' data directory, on SQLite.</param>
internal sealed class GrownFleet(string data, IdentityFolder identities)
{
    /// <summary>Offices in one transaction.</summary>
    private const int Together = 50;

    private readonly JournalFile _journal = new(Path.Combine(data, "journal.db"));

    /// <summary>Writes offices until there are so many.</summary>
    /// <param name="enrolled">The first so many are what the others are copies of.</param>
    /// <returns>Whether any were missing.</returns>
    public bool Grow(int enrolled, int offices, Action<string> step)
    {
        var missing = Enumerable.Range(enrolled, Math.Max(0, offices - enrolled)).Where(n => identities.Load(FleetSwarm.NameOf(n).Value) is null).ToList();
        if (missing.Count == 0)
            return false;
        var issuer = CertificateAuthority.OpenOrCreate(data, HeadquartersOptions.Load(null, []).Identity, TimeProvider.System);
        var models = Enumerable.Range(0, enrolled).Select(n => FleetSwarm.NameOf(n)).Select(id => (Known: OfficeOf(id), Saved: identities.Load(id.Value)!)).ToList();
        using var db = new DataConnection(new DataOptions().UseConnectionString(_journal.ProviderName, _journal.ConnectionString));
        var (company, row) = CompanyOf();
        var (entries, leases) = (company.Offices.ToList(), (company.Leases ?? []).ToList());
        var position = new JournalRows(_journal).LastPosition();
        foreach (var some in missing.Chunk(Together))
        {
            var (events, snapshots, grown) = (new List<JournalRow>(), new List<SnapshotRow>(), new List<(OfficeId Id, SavedOffice Saved)>());
            foreach (var number in some)
            {
                var (id, model) = (FleetSwarm.NameOf(number), models[number % models.Count]);
                var (known, saved) = Copy(model.Known, model.Saved, id, issuer);
                // As in a journal whose older events went: what is left begins behind the snapshot.
                events.Add(Row(row, ++position, OfficeActor.PersistencePrefix + id, new OfficeDocumentsChecked(id, known.DocumentsBasis, DateTimeOffset.UtcNow)));
                snapshots.Add(Row(OfficeActor.PersistencePrefix + id, 1, known));
                entries.Add(new OfficeEntry(id, id.Value, "bench", known.OpenedAt));
                leases.AddRange(leases.Where(l => l.OfficeId == model.Known.OfficeId).Select(l => l with { OfficeId = id }).ToList());
                grown.Add((id, saved));
            }

            using var transaction = db.BeginTransaction();
            JournalRows.Write(db, events, _ => { });
            JournalRows.Write(db, snapshots, _ => { });
            db.GetTable<SnapshotRow>().Delete(s => s.PersistenceId == CompanyActor.Id && s.SequenceNr == row.SequenceNr);
            db.Insert(Row(CompanyActor.Id, row.SequenceNr, company with { Offices = entries, Leases = leases }));
            transaction.Commit();
            // An office whose identity is known is taken for one that is in the journal.
            grown.ForEach(o => identities.Save(o.Id.Value, o.Saved));
            if (some[^1] % 1000 >= 1000 - Together)
                step($"{some[^1] + 1} offices are in the journal");
        }

        return true;
    }

    private static (OfficeSnapshot, SavedOffice) Copy(OfficeSnapshot model, SavedOffice saved, OfficeId id, CertificateAuthority issuer)
    {
        var node = new NodeId(saved.Node.Replace(model.OfficeId.Value, id.Value, StringComparison.Ordinal));
        var devices = model.Devices.ToDictionary(d => d.DeviceId, _ => NewIds.Device());
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(saved.NodeKey, out _);
        var issued = issuer.Issue(PeerIdentity.Of(node), KeyRequest.For(key), 1);
        return (
            model with
            {
                OfficeId = id,
                Title = id.Value,
                Tokens = [],
                Nodes = [.. model.Nodes.Select(n => n with { NodeId = node, DeviceId = devices[n.DeviceId], Certificates = [issued.Record] })],
                Devices = [.. model.Devices.Select(d => d with { DeviceId = devices[d.DeviceId] })],
            },
            saved with
            {
                Node = node.Value,
                Certificate = issued.Chain[0].ToArray(),
                Devices = [.. saved.Devices.Select(d => d with { Id = devices[new DeviceId(d.Id)].Value })],
            });
    }

    /// <summary>What the newest snapshot and the events behind it come to.</summary>
    private OfficeSnapshot OfficeOf(OfficeId id)
    {
        var (snapshot, events, _) = Of<OfficeSnapshot>(OfficeActor.PersistencePrefix + id);
        var office = snapshot is null ? new Headquarters.Offices.Office(id) : Headquarters.Offices.Office.From(snapshot);
        return office.Apply(events.SelectMany(e => e is OfficeEvents many ? many.Events : [(IOfficeEvent)e])).ToSnapshot(DateTimeOffset.UtcNow);
    }

    /// <summary>The same of the company, with its newest row.</summary>
    private (CompanySnapshot, JournalRow) CompanyOf()
    {
        var (snapshot, events, last) = Of<CompanySnapshot>(CompanyActor.Id);
        var company = events.Aggregate(snapshot is null ? new Company() : Company.From(snapshot), (known, e) => known.Apply((ICompanyEvent)e));
        return (company.ToSnapshot(), last);
    }

    private (T? Snapshot, List<object> Behind, JournalRow Last) Of<T>(string persistenceId)
        where T : class
    {
        var rows = new JournalRows(_journal);
        var (snapshot, events) = (rows.SnapshotsOf(persistenceId).LastOrDefault(), rows.EventsOf(persistenceId).ToList());
        var behind = events.Where(e => e.SequenceNr > (snapshot?.SequenceNr ?? 0));
        return (snapshot is null ? null : MessagePackSerializer.Deserialize<T>(snapshot.Snapshot, Codec.Options),
            [.. behind.Select(e => MessagePackSerializer.Deserialize(Manifests.All[Manifests.Names(e.Manifest!)[0]], e.Message, Codec.Options)!)], events[^1]);
    }

    private static JournalRow Row(JournalRow like, long position, string persistenceId, object happened) => like with
    {
        Ordering = position,
        PersistenceId = persistenceId,
        SequenceNr = 2,
        Message = MessagePackSerializer.Serialize(happened.GetType(), happened, Codec.Options),
        Manifest = Manifests.Of[happened.GetType()],
    };

    private static SnapshotRow Row(string persistenceId, long sequenceNr, object known) => new()
    {
        PersistenceId = persistenceId,
        SequenceNr = sequenceNr,
        Created = DateTimeOffset.UtcNow.UtcTicks,
        Snapshot = MessagePackSerializer.Serialize(known.GetType(), known, Codec.Options),
        Manifest = Manifests.Of[known.GetType()],
        SerializerId = FleetSerializer.SerializerId,
    };
}
