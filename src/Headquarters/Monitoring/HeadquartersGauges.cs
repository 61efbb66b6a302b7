using System.Diagnostics.Metrics;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.Monitoring;

/// <summary>What its owner keeps anyway and is read when somebody asks.</summary>
internal static class HeadquartersGauges
{
    public static void Add(HeadquartersMeter meter, ClusterSystem cluster, EdgeSystem edge, OverloadWatch overload)
    {
        var m = meter.Meter;
        m.CreateObservableGauge("fleet.links", () => edge.Links, "{link}", "Office nodes that are linked to this headquarters node.");
        m.CreateObservableGauge("fleet.links.opening", () => edge.Load.Opening, "{link}", "Office nodes that were let in and wait for their office's twin.");
        m.CreateObservableGauge("fleet.door.rate", () => edge.Load.AdmittedPerSecond, "{hello}/s", "Office nodes that may be let in a second now.");
        m.CreateObservableGauge("fleet.door.return_within", () => edge.Load.ReturnWithin.TotalSeconds, "s", "Within which office nodes are asked to come back, if this node is lost.");
        m.CreateObservableGauge("fleet.load", () => edge.Processors, "1", "The share of the machine's processors that this process uses.");
        m.CreateObservableGauge("fleet.offices", () => meter.Devices.Offices, "{office}", "Offices whose twins run on this node.");
        m.CreateObservableGauge(
            "fleet.devices", () => meter.Devices.Devices.Select(d => new Measurement<long>(d.Devices, new KeyValuePair<string, object?>("presence", d.State.ToString().ToLowerInvariant()))), "{device}",
            "Devices of the offices whose twins run on this node, by presence.");
        m.CreateObservableGauge("fleet.projection.lag.rows", () => Where(meter.Projection.Now?.Rows), "{row}", "Rows of the journal that the read model does not have yet; told by the node that writes it.");
        m.CreateObservableGauge("fleet.projection.lag", () => Where(meter.Projection.Now?.Time.TotalSeconds), "s", "How long the read model has been behind the journal; told by the node that writes it.");
        m.CreateObservableGauge("fleet.storage.bytes", () => Parts(meter, s => s.Journal.Bytes, s => s.ReadModel.Bytes), "By", "What journal (with snapshots) and read model take of the disk; told by the node that writes the read model.");
        m.CreateObservableGauge("fleet.storage.free", () => Parts(meter, s => s.Journal.Free, s => s.ReadModel.Free), "By", "Of them what deleted rows left, for what comes next; SQLite only.");
        m.CreateObservableGauge("fleet.journal.rows", () => Where(meter.Sizes?.Events), "{row}", "Rows that are in the journal; one may hold many events.");
        m.CreateObservableGauge("fleet.journal.snapshots", () => Where(meter.Sizes?.Snapshots), "{snapshot}", "Snapshots of twins.");
        m.CreateObservableGauge("fleet.journal.healthy", () => meter.Journal.Problem is null ? 1 : 0, null, "1: the journal worked when it was last needed; 0: it failed.");
        m.CreateObservableGauge("fleet.backup.age", () => Where((DateTimeOffset.UtcNow - meter.NewestBackup)?.TotalSeconds), "s", "Since the newest backup of those that headquarters makes by itself; told by the node that makes them.");
        m.CreateObservableGauge("fleet.overload", () => overload.Level, null, "0: not overloaded; 1: lists and discovery are put off, 2: enrolments as well, 3: reports too, or alone.");
        m.CreateObservableGauge("fleet.cluster.members", () => Members(cluster), "{node}", "Headquarters nodes as this one sees them, by status.");
    }

    private static IEnumerable<Measurement<long>> Parts(HeadquartersMeter meter, Func<StorageSizes, long> journal, Func<StorageSizes, long> readModel) => meter.Sizes is not { } sizes ? [] :
    [
        new Measurement<long>(journal(sizes), new KeyValuePair<string, object?>("part", "journal")),
        new Measurement<long>(readModel(sizes), new KeyValuePair<string, object?>("part", "read-model")),
    ];

    // None where another node has it.
    private static IEnumerable<Measurement<T>> Where<T>(T? value)
        where T : struct =>
        value is { } known ? [new Measurement<T>(known)] : [];

    private static IEnumerable<Measurement<int>> Members(ClusterSystem cluster)
    {
        if (cluster.System.WhenTerminated.IsCompleted)
            return [];
        var seen = Akka.Cluster.Cluster.Get(cluster.System).State;
        return Enum.GetValues<ClusterNodeStatus>().Select(status => new Measurement<int>(
            seen.Members.Count(m => ClusterView.StatusOf(m, seen) == status), new KeyValuePair<string, object?>("status", status.ToString().ToLowerInvariant())));
    }
}
