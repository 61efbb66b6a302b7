using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Writes presence that office twins publish; what comes while a write runs is collapsed to the newest per device and written next.</summary>
public sealed class PresenceWriter : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReadModelStore _store;
    private Dictionary<DeviceId, (OfficeId Office, DevicePresence Seen)> _pending = [];
    private bool _writing;

    public PresenceWriter(ReadModelStore store)
    {
        _store = store;

        Receive<PresenceChanged>(changed =>
        {
            foreach (var device in changed.Devices)
                _pending[device.DeviceId] = (changed.OfficeId, device);
            Write();
        });
        Receive<Written>(written =>
        {
            // Presence comes anew with the next digest: a lost write is only told.
            if (written.Fault is { } fault)
                _log.Warning("Presence of devices could not be written: {Reason}", fault.Message);
            _writing = false;
            Write();
        });
    }

    public static Props Props(ReadModelStore store) => Akka.Actor.Props.Create(() => new PresenceWriter(store));

    protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(PresenceChanged));

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void Write()
    {
        if (_writing || _pending.Count == 0)
            return;
        var batch = _pending.Values.ToList();
        (_pending, _writing) = ([], true);
        Task.Run(() => _store.Write(batch)).PipeTo(Self, success: () => new Written(null), failure: fault => new Written(fault));
    }

    private sealed record Written(Exception? Fault);
}
