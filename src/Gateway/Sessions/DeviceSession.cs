using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Link;

namespace Fleet.Gateway.Sessions;

/// <summary>Whether headquarters can be reached, and the epoch under which it speaks.</summary>
public sealed record Uplink(bool Up, string Epoch);

/// <summary>The versions that headquarters has of a device. They are vouched for in the epoch in which they were told, and in no other.</summary>
/// <param name="Reported">Null until headquarters said it in this epoch.</param>
public sealed record HeadquartersView(string Epoch, ulong? Desired, ulong? Reported);

/// <summary>
/// What a gateway knows of one device, and the rules by which it answers the device's syncs: from here where it can, from headquarters where it must.
/// It never acknowledges a report; only headquarters' sealed acknowledgement does.
/// </summary>
public sealed record DeviceSession(DeviceId Id)
{
    /// <summary>The newest desired document that came down.</summary>
    public CarriedEnvelope? Desired { get; init; }

    /// <summary>The acknowledgement that came down last.</summary>
    public CarriedEnvelope? Ack { get; init; }

    public HeadquartersView AtHeadquarters { get; init; } = new("", null, null);

    /// <summary>The interval that headquarters wants; null: the device's own.</summary>
    public TimeSpan? SyncInterval { get; init; }

    public DeviceRefusedDown? Refused { get; init; }

    /// <summary>An operator wants the device to sync soon.</summary>
    public bool SyncWanted { get; init; }

    /// <summary>The run ids of the last two starts of the agent, newest first.</summary>
    public (string Last, string Before) Runs { get; init; } = ("", "");

    /// <summary>Memory that the envelopes take, with a little for the rest.</summary>
    public int Bytes => 256 + (Desired?.Bytes.Length ?? 0) + (Ack?.Bytes.Length ?? 0);

    /// <summary>What to ask headquarters before answering; null: nothing, <see cref="Conclude"/> has the answer.</summary>
    public IUpItem? Question(DeviceSync sync, Uplink uplink)
    {
        if (Refused is not null)
            return null;
        // Sent up even while the link is down: the uplink keeps it.
        if (sync.Report is { } report)
            return new DeviceEnvelopeUp(Id, report.Bytes, sync.OfficeHint);
        if (!uplink.Up || HasAnswer(sync, uplink))
            return null;
        return new DesiredWanted(Id, sync.DesiredVersion, sync.OfficeHint);
    }

    /// <summary>Whether what came down since the sync was asked answers it.</summary>
    /// <param name="ackBefore">The session's acknowledgement when the question went up.</param>
    public bool Answers(DeviceSync sync, CarriedEnvelope? ackBefore, Uplink uplink) =>
        Refused is not null || (sync.Report is null ? HasAnswer(sync, uplink) : FreshAck(sync, ackBefore) is not null);

    /// <summary>The answer from what is at hand.</summary>
    public SyncAnswer Conclude(DeviceSync sync, CarriedEnvelope? ackBefore, Uplink uplink)
    {
        if (Refused is not null)
            return new SyncAnswer(SyncReply.Types.Outcome.Refused, [], Pace.Retry);
        var ack = sync.Report is null ? (sync.AwaitsAck && Ack?.Version >= sync.ReportedVersion ? Ack : null) : FreshAck(sync, ackBefore);
        var envelopes = new[] { Desired?.Version > sync.DesiredVersion ? Desired : null, ack }.OfType<CarriedEnvelope>().ToList();
        if (sync.Report is not null && ack is null)
            return new SyncAnswer(SyncReply.Types.Outcome.Held, envelopes, Pace.Retry);
        // Headquarters has a newer document than is at hand: a report's answer comes without it.
        var behind = Vouched(uplink)?.Desired > Math.Max(sync.DesiredVersion, Desired?.Version ?? 0);
        if (envelopes.Count > 0)
            return new SyncAnswer(SyncReply.Types.Outcome.Delivered, envelopes, behind ? Pace.Soon : Pace.Normal);
        if (ReportIsWanted(sync, uplink))
            return new SyncAnswer(SyncReply.Types.Outcome.ReportWanted, [], Pace.AtOnce);
        return new SyncAnswer(SyncReply.Types.Outcome.NothingNew, [], behind ? Pace.Retry : SyncWanted ? Pace.Soon : Pace.Normal);
    }

    /// <summary>After an answer: the device was heard, and a wish for an early sync is passed on.</summary>
    public DeviceSession Heard(DeviceSync sync, SyncAnswer answer) => this with
    {
        SyncWanted = SyncWanted && answer.Pace != Pace.Soon,
        Runs = sync.RunId == Runs.Last ? Runs : (sync.RunId, Runs.Last),
    };

    /// <summary>Takes in what came down under an epoch. Malformed envelopes change nothing.</summary>
    public DeviceSession Learn(IDownItem item, string epoch) => item switch
    {
        DeviceEnvelopeDown down when CarriedEnvelope.From(Id, down.Envelope, out _) is { } envelope => Learn(envelope, epoch),
        DeviceState state => this with
        {
            AtHeadquarters = new HeadquartersView(epoch, state.DesiredVersion, state.ReportedVersion),
            SyncInterval = state.SyncInterval > TimeSpan.Zero ? state.SyncInterval : null,
            Refused = null,
        },
        DeviceRefusedDown refused => new DeviceSession(Id) { Refused = refused },
        Messages.Link.SyncWanted => this with { SyncWanted = true },
        _ => this,
    };

    private DeviceSession Learn(CarriedEnvelope envelope, string epoch)
    {
        var view = AtHeadquarters.Epoch == epoch ? AtHeadquarters : new HeadquartersView(epoch, null, null);
        return envelope.Kind switch
        {
            EnvelopeKind.Desired when Desired is null || envelope.Version >= Desired.Version => this with
            {
                Desired = envelope,
                AtHeadquarters = view with { Desired = envelope.Version },
            },
            // The newest to arrive, not the highest: a device restored from a backup reports lower versions again.
            EnvelopeKind.Ack => this with { Ack = envelope, AtHeadquarters = view with { Reported = envelope.Version } },
            _ => this,
        };
    }

    private bool HasAnswer(DeviceSync sync, Uplink uplink) =>
        Vouched(uplink) is { Desired: { } desired, Reported: not null } && (desired <= sync.DesiredVersion || Desired?.Version > sync.DesiredVersion);

    private bool ReportIsWanted(DeviceSync sync, Uplink uplink)
    {
        if (sync.AwaitsAck)
            return true;
        if (!uplink.Up)
            return false;
        // Two live runs of one identity take turns: only headquarters can tell a clone, and only from reports.
        var alternates = sync.RunId != Runs.Last && sync.RunId == Runs.Before;
        return alternates || Vouched(uplink)?.Reported != sync.ReportedVersion;
    }

    private CarriedEnvelope? FreshAck(DeviceSync sync, CarriedEnvelope? ackBefore) =>
        !ReferenceEquals(Ack, ackBefore) && Ack?.Version >= sync.ReportedVersion ? Ack : null;

    private HeadquartersView? Vouched(Uplink uplink) => uplink.Up && AtHeadquarters.Epoch == uplink.Epoch ? AtHeadquarters : null;
}

/// <summary>The answer to a sync, still without the time of the next.</summary>
public sealed record SyncAnswer(SyncReply.Types.Outcome Outcome, IReadOnlyList<CarriedEnvelope> Envelopes, Pace Pace);

/// <summary>How soon the device should sync again.</summary>
public enum Pace
{
    /// <summary>At its interval.</summary>
    Normal = 1,

    /// <summary>Without waiting; the outcome says what for.</summary>
    AtOnce = 2,

    /// <summary>In a second or two: somebody waits for it.</summary>
    Soon = 3,

    /// <summary>When headquarters may be back.</summary>
    Retry = 4,
}
