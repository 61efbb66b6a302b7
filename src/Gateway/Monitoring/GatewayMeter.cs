using System.Diagnostics.Metrics;
using Fleet.Contracts.Agents;

namespace Fleet.Gateway.Monitoring;

/// <summary>What one gateway with its push server counts, under the meter <c>fleet.gateway</c>: an office node's, or headquarters' own.</summary>
public sealed class GatewayMeter : IDisposable
{
    public const string Name = "fleet.gateway";

    private readonly Meter _meter;
    private readonly Counter<long> _syncs;
    private readonly Counter<long> _signals;
    private readonly Counter<long> _linesPutOff;
    private int _waiting;
    private int _sessions;
    private int _lines;

    /// <param name="scope">The node that it is of.</param>
    public GatewayMeter(object? scope)
    {
        _meter = new Meter(new MeterOptions(Name) { Scope = scope });
        _syncs = _meter.CreateCounter<long>("fleet.syncs", "{sync}", "Syncs of devices that were answered, by outcome: nothing-new, delivered, held, refused, report-wanted.");
        _signals = _meter.CreateCounter<long>("fleet.wake.signals", "{signal}", "Wake signals for lines, by outcome: sent, no-line.");
        _linesPutOff = _meter.CreateCounter<long>("fleet.lines.put_off", "{line}", "Lines that were asked to come back later.");
        _meter.CreateObservableGauge("fleet.syncs.waiting", () => Volatile.Read(ref _waiting), "{sync}", "Syncs that wait for headquarters.");
        _meter.CreateObservableGauge("fleet.sessions", () => Volatile.Read(ref _sessions), "{device}", "Devices that the gateway remembers.");
        _meter.CreateObservableGauge("fleet.lines", () => Volatile.Read(ref _lines), "{line}", "Lines that devices keep open.");
    }

    /// <summary>For gateways that nobody watches.</summary>
    public static GatewayMeter Unheard { get; } = new(scope: null);

    public void Answered(SyncReply.Types.Outcome outcome, int waiting, int sessions)
    {
        _syncs.Add(1, new KeyValuePair<string, object?>("outcome", NameOf(outcome)));
        Volatile.Write(ref _waiting, waiting);
        Volatile.Write(ref _sessions, sessions);
    }

    public void Signalled(bool sent) => _signals.Add(1, new KeyValuePair<string, object?>("outcome", sent ? "sent" : "no-line"));

    public void LinePutOff() => _linesPutOff.Add(1);

    public void LinesAre(int lines) => Volatile.Write(ref _lines, lines);

    public void Dispose() => _meter.Dispose();

    private static string NameOf(SyncReply.Types.Outcome outcome) => outcome switch
    {
        SyncReply.Types.Outcome.NothingNew => "nothing-new",
        SyncReply.Types.Outcome.Delivered => "delivered",
        SyncReply.Types.Outcome.Held => "held",
        SyncReply.Types.Outcome.Refused => "refused",
        SyncReply.Types.Outcome.ReportWanted => "report-wanted",
        _ => "other",
    };
}
