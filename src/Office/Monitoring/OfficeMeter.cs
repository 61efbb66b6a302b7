using System.Diagnostics.Metrics;
using Fleet.Gateway.Monitoring;

namespace Fleet.Office.Monitoring;

/// <summary>What one office node counts about itself, under the meter <c>fleet.office</c>, and how its link and disk stand. Each fact is counted by its owner.</summary>
public sealed class OfficeMeter : IDisposable
{
    public const string Name = "fleet.office";

    private readonly Meter _meter;
    private readonly Counter<long> _frames;
    private readonly Counter<long> _links;
    private readonly Counter<long> _contentBytes;
    private volatile string? _linkProblem = "not linked yet";
    private volatile string? _storageProblem;
    private long _reports;
    private long _events;

    public OfficeMeter()
    {
        _meter = new Meter(new MeterOptions(Name) { Version = OfficeNode.Version, Scope = this });
        Gateway = new GatewayMeter(this);
        _frames = _meter.CreateCounter<long>("fleet.office.frames", "{frame}", "Frames between the node and headquarters, by direction: up, down.");
        _links = _meter.CreateCounter<long>("fleet.office.links", "{link}", "How often the link came up or went down, by change: up, down.");
        _contentBytes = _meter.CreateCounter<long>("fleet.office.content.bytes", "By", "Bytes of update content, by way: source (over the uplink), peer (from another distribution point), device (to devices).");
        _meter.CreateObservableGauge("fleet.office.linked", () => _linkProblem is null ? 1 : 0, null, "1: the node is linked to headquarters.");
        _meter.CreateObservableGauge("fleet.office.outbox.reports", () => Volatile.Read(ref _reports), "{report}", "Reports that headquarters has not stored yet.");
        _meter.CreateObservableGauge("fleet.office.outbox.events", () => Volatile.Read(ref _events), "{event}", "Entries of the node's history that headquarters has not stored yet.");
    }

    /// <summary>What its gateway counts.</summary>
    public GatewayMeter Gateway { get; }

    /// <summary>A node without a link serves its office on; it is not as it should be.</summary>
    public Health Link => _linkProblem is { } problem ? Health.Degraded($"no link to headquarters: {problem}") : Health.Fine;

    public Health Storage => _storageProblem is { } problem ? Health.Failed(problem) : Health.Fine;

    public void Linked(bool up, string why)
    {
        _linkProblem = up ? null : why;
        _links.Add(1, new KeyValuePair<string, object?>("change", up ? "up" : "down"));
    }

    /// <param name="problem">Why the node can't keep what it must; null: it can.</param>
    public void Stores(string? problem) => _storageProblem = problem;

    public void FrameUp() => _frames.Add(1, new KeyValuePair<string, object?>("direction", "up"));

    public void FrameDown() => _frames.Add(1, new KeyValuePair<string, object?>("direction", "down"));

    public void Waits(long reports, long events)
    {
        Volatile.Write(ref _reports, reports);
        Volatile.Write(ref _events, events);
    }

    public void ContentCame(long bytes, bool fromPeer) => _contentBytes.Add(bytes, new KeyValuePair<string, object?>("way", fromPeer ? "peer" : "source"));

    public void ContentSent(long bytes) => _contentBytes.Add(bytes, new KeyValuePair<string, object?>("way", "device"));

    public void Dispose()
    {
        Gateway.Dispose();
        _meter.Dispose();
    }
}
