using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Writes what twins and the company publish beside the journal: presence, what polls see, how rollouts stand, what distribution points count. What comes while a write runs is collapsed to the newest of each and written next.</summary>
public sealed class PresenceWriter : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReadModelStore _store;
    private SeenChanges _pending = new();
    private bool _writing;

    public PresenceWriter(ReadModelStore store)
    {
        _store = store;

        Receive<PresenceChanged>(changed =>
        {
            foreach (var device in changed.Devices)
                _pending.Presence[device.DeviceId] = (changed.OfficeId, device);
            Write();
        });
        Receive<NetworkSeen>(seen =>
        {
            foreach (var device in seen.Discovered)
                _pending.Discovered[device.DiscoveredId] = device;
            foreach (var device in seen.Devices)
                _pending.OnNetwork[device.DeviceId] = device;
            foreach (var poll in seen.Polls)
                _pending.Polls[poll.PollId] = poll;
            foreach (var install in seen.Installs)
                _pending.Installs[install.InstallId] = install;
            Write();
        });
        Receive<RolloutStanding>(standing =>
        {
            _pending.Rollouts[standing.Name] = standing;
            Write();
        });
        Receive<ContentCounted>(counted =>
        {
            _pending.Content[counted.NodeId] = counted;
            Write();
        });
        Receive<Written>(written =>
        {
            _writing = false;
            if (written.Fault is { } fault)
            {
                // Most of it comes anew; the presence of devices only when it changes, so it goes along with what comes next.
                _log.Warning("Presence of devices could not be written: {Reason}", fault.Message);
                foreach (var (device, seen) in written.Batch.Presence)
                    _pending.Presence.TryAdd(device, seen);
                return;
            }

            Write();
        });
    }

    public static Props Props(ReadModelStore store) => Akka.Actor.Props.Create(() => new PresenceWriter(store));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(PresenceChanged));
        Context.System.EventStream.Subscribe(Self, typeof(NetworkSeen));
        Context.System.EventStream.Subscribe(Self, typeof(RolloutStanding));
        Context.System.EventStream.Subscribe(Self, typeof(ContentCounted));
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void Write()
    {
        if (_writing || _pending.IsEmpty)
            return;
        var batch = _pending;
        (_pending, _writing) = (new SeenChanges(), true);
        Task.Run(() => _store.Write(batch)).PipeTo(Self, success: () => new Written(batch, null), failure: fault => new Written(batch, fault));
    }

    private sealed record Written(SeenChanges Batch, Exception? Fault);
}

/// <summary>The newest of what twins published and the tables do not have yet.</summary>
internal sealed class SeenChanges
{
    public Dictionary<DeviceId, (OfficeId Office, DevicePresence Seen)> Presence { get; } = [];

    public Dictionary<DiscoveredId, DiscoveredSeen> Discovered { get; } = [];

    public Dictionary<DeviceId, DeviceSeenOnNetwork> OnNetwork { get; } = [];

    public Dictionary<PollId, PollProgress> Polls { get; } = [];

    public Dictionary<InstallId, InstallProgress> Installs { get; } = [];

    public Dictionary<RolloutName, RolloutStanding> Rollouts { get; } = [];

    public Dictionary<NodeId, ContentCounted> Content { get; } = [];

    public bool IsEmpty => Presence.Count + Discovered.Count + OnNetwork.Count + Polls.Count + Installs.Count + Rollouts.Count + Content.Count == 0;
}
