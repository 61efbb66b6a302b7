using System.Diagnostics;
using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Contracts.Tracing;
using Fleet.Device.Events;
using Fleet.Device.Identity;
using Fleet.Device.Inventory;
using Fleet.Device.Push;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;

namespace Fleet.Device;

/// <summary>
/// One enrolled device: keeps its state, reports and syncs until stopped. The agent runs one; an office node runs one for its own machine; labs and
/// load generators run thousands in a process. A new object on the same storage is a restart of the device.
/// </summary>
public sealed partial class DeviceRuntime
{
    /// <summary>Exchanges in one round: apply, report that, have it acknowledged, and one to spare.</summary>
    private const int MaxExchanges = 4;

    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LeastSpread = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RepeatAfter = TimeSpan.FromHours(1);

    private readonly IDeviceStorage _storage;
    private readonly DeviceOptions _options;
    private readonly ISyncCarriers _carriers;
    private readonly IMachine _machine;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly string _version;
    private readonly SyncWait _wait;
    private readonly Random _random;
    private readonly EventQueue _events;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly ByteString _runId = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(8));
    // Carrier → why its newest envelopes were refused.
    private readonly SortedDictionary<string, string> _distrusted = new(StringComparer.Ordinal);
    private readonly Dictionary<Note, DateTimeOffset> _told = [];
    private readonly WakeJudge _wakes;
    // Of the newest accepted wake signal that headquarters was not told of yet; 0 = none.
    private ulong _wokenBy;
    // What the newest of them is a part of; null: nobody traces it.
    private string? _trace;
    // Named by the carrier that answered last.
    private TimeSpan _returnWithin;
    private ITimer? _move;
    private ITimer? _tell;
    private volatile IReadOnlyList<PackageStatus> _packages = [];
    private SyncState _state;
    private DeviceIdentity _identity;

    /// <param name="carriers">Owned by the caller.</param>
    /// <param name="version">The version of the program.</param>
    /// <exception cref="StorageException">The device is not enrolled, or its files are damaged.</exception>
    public DeviceRuntime(
        IDeviceStorage storage, DeviceOptions options, ISyncCarriers carriers, IMachine machine, TimeProvider clock, ILogger log, string version, Random? random = null)
    {
        (_storage, _options, _carriers, _machine, _clock, _log, _version) = (storage, options, carriers, machine, clock, log, version);
        _identity = IdentityFiles.Load(storage) ?? throw new StorageException("this device is not enrolled");
        _state = SyncState.Load(storage);
        _wakes = new WakeJudge(_state.WakeCounter);
        _random = random ?? Random.Shared;
        _wait = new SyncWait(new Backoff(options.FirstRetry), _random);
        _events = new EventQueue(storage, options.Events, clock, _state.AcknowledgedEvent);
    }

    public DeviceIdentity Identity => _identity;

    /// <summary>Where the conversation with headquarters stands; immutable, so it may be read from any thread.</summary>
    public SyncState State => _state;

    /// <summary>Whether the device never dials headquarters.</summary>
    public bool GatewayOnly => Effective().GatewayOnly;

    /// <summary>How often the device syncs while all is well.</summary>
    public TimeSpan SyncInterval => Effective().SyncInterval;

    /// <summary>Raised after each round on the device's own thread.</summary>
    public event Action<RoundEnd>? RoundEnded;

    /// <summary>Raised on the device's own thread when another desired document was taken, or another identity.</summary>
    public event Action? Changed;

    /// <summary>Syncs until cancelled, and says goodbye. Never throws for what passes; a <see cref="StorageException"/> is one of those (a full disk is emptied).</summary>
    public async Task Run(CancellationToken cancellation)
    {
        Record(new Note("agent-started", $"agent {_version} started"));
        _carriers.GatewayLost += MoveSoon;
        try
        {
            while (true)
            {
                var (end, named) = await Round(cancellation).ConfigureAwait(false);
                var wait = _wait.After(end, named, Effective().SyncInterval, _returnWithin);
                RoundEnded?.Invoke(end);
                LogWaiting(wait);
                await WaitOrWake(wait, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Leave().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _carriers.GatewayLost -= MoveSoon;
        }
    }

    /// <summary>A wake signal came, by whatever way. From any thread; what is not headquarters' own, or was here before, changes nothing.</summary>
    /// <param name="trace">A W3C traceparent that came with it; empty: none.</param>
    public void Wake(ReadOnlySpan<byte> signal, string trace = "")
    {
        if (!_wakes.Accepts(signal, _identity, out var counter))
            return;
        Volatile.Write(ref _trace, Traces.Read(trace));
        Interlocked.Exchange(ref _wokenBy, counter);
        SyncSoon();
    }

    /// <summary>Another connection shows that an office node is gone, from any thread: where the device syncs through it, it looks for another gateway.</summary>
    public void NodeLost(string node)
    {
        _carriers.Avoid(node);
        if (_state.ReachedThrough == node)
            MoveSoon();
    }

    /// <summary>Ends the present wait: the device syncs at once.</summary>
    public void SyncSoon()
    {
        lock (_wake)
            if (_wake.CurrentCount == 0)
                _wake.Release();
    }

    /// <summary>How the packages stand on the device, from any thread; immutable from here on. What is new is told soon, spread a little.</summary>
    public void Tell(IReadOnlyList<PackageStatus> packages)
    {
        if (packages.SequenceEqual(_packages))
            return;
        _packages = packages;
        lock (_wake)
            _tell ??= _clock.CreateTimer(_ => TellNow(), state: null, _options.Updates.TellWithin * _random.NextDouble(), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Adds to the device's history; goes up with the next sync.</summary>
    public void Record(Note note)
    {
        try
        {
            lock (_events)
                _events.Add(note.Kind, note.Text);
        }
        catch (StorageException fault)
        {
            LogStorage(fault.Message);
        }
    }

    /// <summary>Like <see cref="Record"/>, a repeat once an hour: nobody hostile may fill the device's history.</summary>
    public void RecordHourly(Note note)
    {
        var now = _clock.GetUtcNow();
        lock (_told)
        {
            foreach (var (old, _) in _told.Where(t => now - t.Value >= RepeatAfter).ToList())
                _told.Remove(old);
            if (!_told.TryAdd(note, now))
                return;
        }

        Record(note);
    }

    /// <summary>Tells the first carrier that the device stops, so that nobody takes it for lost. A courtesy: whoever can't be told in a moment is not.</summary>
    private async Task Leave()
    {
        try
        {
            using var moment = new CancellationTokenSource(LeaveWithin, _clock);
            if (_carriers.InOrder(RoutePlan.Addresses(_identity.Reach, _state.Desired, GatewayOnly), _identity) is [var first, ..])
                await first.SyncAsync(Request(reportWanted: false, leaving: true), moment.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is CarrierException or OperationCanceledException)
        {
            LogCarrier(fault.Message);
        }
    }

    /// <summary>The gateway is lost, and headquarters should not have to wait for the next sync to reach the device: it syncs soon, spread as the gateway asked.</summary>
    private void MoveSoon()
    {
        var within = _returnWithin / 2 > LeastSpread ? _returnWithin / 2 : LeastSpread;
        lock (_wake)
        {
            _move?.Dispose();
            _move = _clock.CreateTimer(_ => SyncSoon(), state: null, within * _random.NextDouble(), Timeout.InfiniteTimeSpan);
        }
    }

    private void TellNow()
    {
        lock (_wake)
        {
            _tell?.Dispose();
            _tell = null;
        }

        SyncSoon();
    }

    private SyncRequest Request(bool reportWanted, bool leaving = false)
    {
        var request = ReportRules.Request(_state, _identity, _runId, _version, reportWanted, Interlocked.Read(ref _wokenBy));
        request.Leaving = leaving;
        return request;
    }

    private async Task WaitOrWake(TimeSpan wait, CancellationToken cancellation)
    {
        using var timer = _clock.CreateTimer(_ => SyncSoon(), state: null, wait, Timeout.InfiniteTimeSpan);
        await _wake.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Exchanges until both sides agree or nobody answers.</summary>
    private async Task<(RoundEnd End, TimeSpan? Named)> Round(CancellationToken cancellation)
    {
        try
        {
            SyncReply? reply = null;
            var reportWanted = false;
            for (var exchange = 0; exchange < MaxExchanges; exchange++)
            {
                var version = _state.ReportedVersion;
                RefreshReport();
                if (reply is not null && !reportWanted && _state.ReportedVersion == version)
                    break;
                var answer = await Exchange(reportWanted, cancellation).ConfigureAwait(false);
                if (answer.Reply is null)
                    return (RoundEnd.Failed, answer.Named);
                reply = answer.Reply;
                if (answer.SyncNow)
                    return (RoundEnd.Again, null);
                reportWanted = reply.Outcome == SyncReply.Types.Outcome.ReportWanted && !reportWanted;
            }

            return (_state.AwaitsAck ? RoundEnd.Held : RoundEnd.Done, RetryAfter.Read(reply?.NextSync));
        }
        catch (StorageException fault)
        {
            LogStorage(fault.Message);
            return (RoundEnd.Failed, null);
        }
    }

    /// <summary>One request and its answer, from the first carrier that gives a good one.</summary>
    private async Task<(SyncReply? Reply, TimeSpan? Named, bool SyncNow)> Exchange(bool reportWanted, CancellationToken cancellation)
    {
        TimeSpan? named = null;
        SyncReply? held = null;
        var addresses = RoutePlan.Addresses(_identity.Reach, _state.Desired, Effective().GatewayOnly);
        var channels = _carriers.InOrder(addresses, _identity);
        for (var i = 0; i < channels.Count; i++)
        {
            var (channel, isLast) = (channels[i], i == channels.Count - 1);
            // A gateway holds the report; those that failed lately would do no better.
            if (held is not null && channel.IsAvoided)
                break;
            var began = _clock.GetTimestamp();
            var request = Request(reportWanted);
            var trace = request.WokenBy == 0 ? null : Volatile.Read(ref _trace);
            using var span = Traces.Continue("sync", trace, ActivityKind.Client);
            request.Trace = Traces.Of(span, trace) ?? "";
            SyncReply reply;
            try
            {
                reply = await Ask(channel, request, isLast, cancellation).ConfigureAwait(false);
            }
            catch (CarrierException fault)
            {
                LogCarrier(fault.Message);
                named ??= fault.RetryAfter;
                continue;
            }

            _returnWithin = RetryAfter.Read(reply.ReturnWithin) ?? TimeSpan.Zero;
            var taken = ReplyRules.Take(_state, _identity, reply, _options, _clock);
            Keep(taken, channel.Name);
            if (taken.Refusal is { } refusal)
            {
                LogRefused(refusal.Detail);
                return (null, RetryAfter.Read(refusal.RetryAfter), false);
            }

            // A carrier's own refusal is its word alone, so the next may be better; so may it after an envelope that was tampered with.
            if (reply.Outcome == SyncReply.Types.Outcome.Refused)
            {
                LogCarrier($"{channel.Name}: {reply.Refusal?.Detail}");
                named ??= RetryAfter.Read(reply.Refusal?.RetryAfter);
                continue;
            }

            if (taken.Distrust.Count > 0)
                continue;
            // Headquarters was told; a newer signal that came meanwhile is told with the next sync.
            if (reply.HeadquartersReachable && Interlocked.CompareExchange(ref _wokenBy, 0, request.WokenBy) == request.WokenBy)
                Interlocked.CompareExchange(ref _trace, null, trace);
            LogSynced(_state.ReportedVersion, _state.DesiredVersion, channel.Name, (long)_clock.GetElapsedTime(began).TotalMilliseconds,
                $"{(request.WokenBy == 0 ? "" : $", woken by {request.WokenBy}")}{(_state.AwaitsAck ? ", not acknowledged yet" : "")}");
            if (reply.Outcome == SyncReply.Types.Outcome.Held && !reply.HeadquartersReachable && !isLast)
            {
                held = reply;
                continue;
            }

            return (reply, null, taken.SyncNow);
        }

        return (held, named, false);
    }

    /// <summary>A carrier that stays silent is left sooner where there is another.</summary>
    private async Task<SyncReply> Ask(ISyncChannel channel, SyncRequest request, bool isLast, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : _options.TakeOverAfter, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return await channel.SyncAsync(request, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CarrierException($"{channel.Name}: no answer within {DurationText.Of(_options.TakeOverAfter)}; trying another");
        }
    }

    private void RefreshReport()
    {
        // Before it is acknowledged: after a crash the same signal must not wake again.
        if (Interlocked.Read(ref _wokenBy) is var woken && woken > _state.WakeCounter)
            Save(_state with { WakeCounter = woken });
        if (_identity.Next is null && _identity.RenewalDue(_clock.GetUtcNow() + _state.ClockBehind))
        {
            _identity = _identity.WithNext();
            IdentityFiles.Save(_storage, _identity);
        }

        var effective = Effective();
        var facts = new DeviceReport
        {
            RunId = _runId,
            Machine = ByteString.CopyFrom(_machine.Fingerprint),
            Inventory = _machine.Inventory(),
            AppliedVersion = _state.DesiredVersion,
            AppliedAt = _state.Desired is null ? null : Timestamp.FromDateTimeOffset(_state.AppliedAt),
            RenewalRequest = ByteString.CopyFrom(_identity.Next?.CertificateRequest ?? []),
            ReachedThrough = _state.ReachedThrough,
        };
        facts.Packages.AddRange(_packages);
        facts.Settings.Add(effective.All.ToDictionary());
        facts.Problems.AddRange(effective.Problems);
        if (ReplyRules.ClockProblem(_state.ClockBehind) is { } clockProblem)
            facts.Problems.Add(clockProblem);
        facts.Problems.AddRange(_distrusted.Select(d => $"carrier {d.Key} delivered an envelope that was refused: {d.Value}"));

        IReadOnlyList<DeviceEvent> waiting;
        lock (_events)
            waiting = _events.Oldest(ReportRules.MaxEvents);
        // On disk before it is sent: a version must never be used again for another content.
        Save(ReportRules.Refreshed(_state, facts, waiting, () => _identity.KeysOf(_identity.Current.Generation)!, _clock.GetUtcNow()));
    }

    private void Keep(ReplyTaken taken, string carrier)
    {
        var before = _identity;
        if (!ReferenceEquals(taken.Identity, _identity))
        {
            IdentityFiles.Save(_storage, taken.Identity);
            _identity = taken.Identity;
        }

        var changed = !ReferenceEquals(before, _identity) || !ReferenceEquals(taken.State.Desired, _state.Desired);
        var state = taken.Distrust.Count == 0 ? taken.State with { ReachedThrough = carrier } : taken.State;
        var acknowledged = state.AcknowledgedEvent != _state.AcknowledgedEvent;
        Save(state);
        if (changed)
            Changed?.Invoke();
        if (acknowledged)
            lock (_events)
                _events.Acknowledge(state.AcknowledgedEvent);

        foreach (var note in taken.Notes)
            Record(note);
        if (taken.Refusal is { } refusal)
            RecordHourly(new Note("report-refused", refusal.Detail));
        if (taken.Distrust.Count == 0)
        {
            _distrusted.Remove(carrier);
            return;
        }

        _distrusted[carrier] = taken.Distrust[0];
        LogDistrust(carrier, taken.Distrust[0]);
        RecordHourly(new Note("envelope-refused", $"{carrier}: {taken.Distrust[0]}"));
    }

    private void Save(SyncState state)
    {
        if (state == _state)
            return;
        state.Save(_storage);
        _state = state;
    }

    private EffectiveSettings Effective() => EffectiveSettings.From(_options, _identity.Reach, _state.Desired);

    [LoggerMessage(LogLevel.Information, "synced: reported {Reported}, desired {Desired}, through {Carrier} in {Milliseconds} ms{Remark}")]
    private partial void LogSynced(ulong reported, ulong desired, string carrier, long milliseconds, string remark);

    [LoggerMessage(LogLevel.Warning, "carrier unusable: {Why}")]
    private partial void LogCarrier(string why);

    [LoggerMessage(LogLevel.Warning, "{Carrier} delivered an envelope that was refused: {Why}")]
    private partial void LogDistrust(string carrier, string why);

    [LoggerMessage(LogLevel.Error, "headquarters refused this device's report: {Why}")]
    private partial void LogRefused(string why);

    [LoggerMessage(LogLevel.Error, "the data directory can't be written; trying again later: {Why}")]
    private partial void LogStorage(string why);

    [LoggerMessage(LogLevel.Debug, "next sync in {Wait}")]
    private partial void LogWaiting(TimeSpan wait);
}
