using System.Diagnostics;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Monitoring;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Link;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Gateway.Push;

/// <summary>gRPC service → PushActor: a device listens from now on; what is written goes to it.</summary>
/// <param name="Items">Completed by the actor when a newer line of the device takes over, or with <see cref="LineRefusedException"/> at once.</param>
public sealed record OpenLine(DeviceId DeviceId, OfficeId OfficeHint, ChannelWriter<PushItem> Items);

/// <summary>gRPC service → PushActor: the line is over.</summary>
public sealed record CloseLine(DeviceId DeviceId, ChannelWriter<PushItem> Items);

/// <summary>
/// The push server: owns the lines that devices keep open here, tells headquarters which there are, and hands wake signals to them. Child of the
/// GatewayActor; lives as long. Memory a line: one entry and a channel of <see cref="LineCapacity"/>.
/// </summary>
public sealed class PushActor : ReceiveActor
{
    /// <summary>Items that may wait in a line. A wake signal that finds no room is no loss: one that waits there wakes as well.</summary>
    public const int LineCapacity = 4;

    /// <summary>Lines in one digest, so that it fits a link frame with room to spare.</summary>
    private const int MaxLines = 500;

    private readonly IActorRef _uplink;
    private readonly AgentLoad _load;
    private readonly GatewayMeter _meter;
    private readonly TimeProvider _clock;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<DeviceId, Line> _lines = [];
    private readonly Dictionary<DeviceId, DeviceLine> _changed = [];
    private Uplink _state = new(Up: false, Epoch: "");
    // What the open lines heard last, but those that opened since.
    private TimeSpan _returnWithin;
    private bool _flushDue;

    public PushActor(IActorRef uplink, AgentLoad load, TimeProvider clock, GatewayMeter meter)
    {
        (_uplink, _load, _clock, _meter) = (uplink, load, clock, meter);

        Receive<OpenLine>(Open);
        Receive<CloseLine>(Close);
        Receive<WakeDevice>(Wake);
        Receive<UplinkChanged>(Turn);
        Receive<TellLines>(tell => Send(_lines.Where(l => l.Value.OfficeHint == tell.OfficeId).Select(l => l.Value.Shown(l.Key))));
        Receive<Flush>(_ => SendChanges());
    }

    /// <param name="meter">Null: nobody watches it.</param>
    public static Props Props(IActorRef uplink, AgentLoad load, TimeProvider clock, GatewayMeter? meter = null) =>
        Akka.Actor.Props.Create(() => new PushActor(uplink, load, clock, meter ?? GatewayMeter.Unheard));

    protected override void PostStop()
    {
        foreach (var line in _lines.Values)
            line.Items.TryComplete();
    }

    private void Open(OpenLine open)
    {
        var now = _clock.GetUtcNow();
        if (_load.WaitForLine(now, Random.Shared.NextDouble()) is { } wait)
        {
            open.Items.TryComplete(new LineRefusedException(wait));
            _meter.LinePutOff();
            return;
        }

        if (_lines.TryGetValue(open.DeviceId, out var older))
            older.Items.TryComplete();
        var line = new Line(open.Items, open.OfficeHint, now);
        _lines[open.DeviceId] = line;
        _meter.LinesAre(_lines.Count);
        var within = Pacing.ReturnWithin(_load.Window(_lines.Count));
        line.Tell(within);
        TellOthers(within);
        Changed(line.Shown(open.DeviceId));
    }

    private void Close(CloseLine close)
    {
        // A line that was taken over says nothing about the newer one.
        if (!_lines.TryGetValue(close.DeviceId, out var line) || line.Items != close.Items)
            return;
        _lines.Remove(close.DeviceId);
        _meter.LinesAre(_lines.Count);
        Changed(new DeviceLine(close.DeviceId, LineEnd.Lost, _clock.GetUtcNow(), line.OfficeHint, line.ReturnWithin));
        TellOthers(Pacing.ReturnWithin(_load.Window(_lines.Count)));
    }

    // The more lines, the longer they should take to come back: those that are open hear of it when it has doubled, or is half of what it was.
    private void TellOthers(Duration? within)
    {
        var window = within?.ToTimeSpan() ?? TimeSpan.Zero;
        if (window == _returnWithin || (window > _returnWithin / 2 && window < 2 * _returnWithin))
            return;
        _returnWithin = window;
        foreach (var line in _lines.Values.Where(l => l.ReturnWithin != window))
            line.Tell(Duration.FromTimeSpan(window));
    }

    private void Wake(WakeDevice wake)
    {
        if (_lines.TryGetValue(wake.DeviceId, out var line))
        {
            using var span = Traces.Continue("push", wake.Trace, ActivityKind.Producer);
            line.Items.TryWrite(new PushItem { Wake = UnsafeByteOperations.UnsafeWrap(wake.Signal), Trace = Traces.Of(span, wake.Trace) ?? "" });
            _meter.Signalled(sent: true);
            return;
        }

        _meter.Signalled(sent: false);
        _log.Debug("Device {DeviceId} should be woken, but has no line open here", wake.DeviceId);
        _uplink.Tell(new SendUp([new WakeFailed(wake.DeviceId, WakeSignal.Read(wake.Signal.Span)?.Counter ?? 0, wake.Channel, "the device has no line open there", wake.OfficeId)]));
    }

    private void Turn(UplinkChanged uplink)
    {
        _state = new Uplink(uplink.Up, uplink.Epoch);
        if (!uplink.Up)
            return;
        // A new epoch: headquarters has forgotten all lines.
        _changed.Clear();
        Send(_lines.Select(l => l.Value.Shown(l.Key)));
    }

    // Collapsed: a thousand devices that come back together are told in a few digests.
    private void Changed(DeviceLine line)
    {
        _changed[line.DeviceId] = line;
        if (_flushDue)
            return;
        _flushDue = true;
        Self.Tell(Flush.Instance);
    }

    private void SendChanges()
    {
        _flushDue = false;
        if (_state.Up)
            Send(_changed.Values);
        _changed.Clear();
    }

    private void Send(IEnumerable<DeviceLine> lines)
    {
        IReadOnlyList<IUpItem> digests = [.. lines.Chunk(MaxLines).Select(part => new LinesDigest(part))];
        if (digests.Count > 0)
            _uplink.Tell(new SendUp(digests));
    }

    private sealed record Line(ChannelWriter<PushItem> Items, OfficeId OfficeHint, DateTimeOffset Since)
    {
        /// <summary>Within which its device was asked to come back.</summary>
        public TimeSpan ReturnWithin { get; private set; }

        public DeviceLine Shown(DeviceId device) => new(device, LineEnd.None, Since, OfficeHint, TimeSpan.Zero);

        /// <param name="within">Null: in its own time.</param>
        public void Tell(Duration? within)
        {
            if (Items.TryWrite(new PushItem { ReturnWithin = within }))
                ReturnWithin = within?.ToTimeSpan() ?? TimeSpan.Zero;
        }
    }

    private sealed record Flush
    {
        public static readonly Flush Instance = new();
    }
}
