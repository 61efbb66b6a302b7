using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Writes what twins and the company publish beside the journal: presence, what polls see, how rollouts stand, what distribution points count. What comes within a fifth of a second, or while a write runs, is collapsed to the newest of each and written together.</summary>
public sealed class PresenceWriter : ReceiveActor, IWithTimers
{
    /// <summary>A thousand quiet offices have something to say a hundred times a second; a write for each was a quarter of what a quiet headquarters did.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(200);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReadModelStore _store;
    private readonly TimeSpan _retryAfter;
    private SeenChanges _pending = new();
    private bool _writing;
    private bool _failing;

    public PresenceWriter(ReadModelStore store, TimeSpan retryAfter)
    {
        (_store, _retryAfter) = (store, retryAfter);

        Receive<PresenceChanged>(changed =>
        {
            foreach (var device in changed.Devices)
                _pending.Presence[device.DeviceId] = (changed.OfficeId, device);
            WriteSoon();
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
            WriteSoon();
        });
        Receive<RolloutStanding>(standing =>
        {
            _pending.Rollouts[standing.Name] = standing;
            WriteSoon();
        });
        Receive<ContentCounted>(counted =>
        {
            _pending.Content[counted.NodeId] = counted;
            WriteSoon();
        });
        Receive<WriteDue>(_ => Write());
        Receive<Written>(Handle);
        Receive<WriteAgain>(_ =>
        {
            _writing = false;
            Write();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="retryAfter">Wait before what could not be written is written again.</param>
    public static Props Props(ReadModelStore store, TimeSpan retryAfter) => Akka.Actor.Props.Create(() => new PresenceWriter(store, retryAfter));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(PresenceChanged));
        Context.System.EventStream.Subscribe(Self, typeof(NetworkSeen));
        Context.System.EventStream.Subscribe(Self, typeof(RolloutStanding));
        Context.System.EventStream.Subscribe(Self, typeof(ContentCounted));
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void WriteSoon()
    {
        if (!_writing && !Timers.IsTimerActive(nameof(WriteDue)))
            Timers.StartSingleTimer(nameof(WriteDue), WriteDue.Instance, Together);
    }

    private void Write()
    {
        if (_writing || _pending.IsEmpty)
            return;
        var batch = _pending;
        (_pending, _writing) = (new SeenChanges(), true);
        Task.Run(() => _store.Write(batch)).PipeTo(Self, success: () => new Written(batch, null), failure: fault => new Written(batch, fault));
    }

    // Nobody publishes again what has not changed since, so it is kept until it is written.
    private void Handle(Written written)
    {
        if (written.Fault is { } fault)
        {
            if (!_failing)
                _log.Warning("Presence of devices can't be written and is tried again: {Reason}", _store.Say(fault));
            _failing = true;
            _pending.AddOlder(written.Batch);
            Timers.StartSingleTimer(nameof(WriteAgain), WriteAgain.Instance, _retryAfter);
            return;
        }

        if (_failing)
            _log.Info("Presence of devices is written again");
        (_writing, _failing) = (false, false);
        if (!_pending.IsEmpty)
            WriteSoon();
    }

    private sealed record Written(SeenChanges Batch, Exception? Fault);

    private sealed record WriteDue
    {
        public static WriteDue Instance { get; } = new();
    }

    private sealed record WriteAgain
    {
        public static WriteAgain Instance { get; } = new();
    }
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

    /// <summary>Takes in what was published earlier, where nothing newer came since.</summary>
    public void AddOlder(SeenChanges older)
    {
        Fill(Presence, older.Presence);
        Fill(Discovered, older.Discovered);
        Fill(OnNetwork, older.OnNetwork);
        Fill(Polls, older.Polls);
        Fill(Installs, older.Installs);
        Fill(Rollouts, older.Rollouts);
        Fill(Content, older.Content);
    }

    private static void Fill<TKey, TValue>(Dictionary<TKey, TValue> newer, Dictionary<TKey, TValue> older)
        where TKey : notnull
    {
        foreach (var (key, value) in older)
            newer.TryAdd(key, value);
    }

    public bool IsEmpty => Presence.Count + Discovered.Count + OnNetwork.Count + Polls.Count + Installs.Count + Rollouts.Count + Content.Count == 0;
}
