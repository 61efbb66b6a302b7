using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Google.Protobuf;

namespace Fleet.Device.Sync;

/// <summary>Something that happened to the device and belongs into its history.</summary>
public sealed record Note(string Kind, string Text);

/// <summary>What a reply does to a device.</summary>
/// <param name="Notes">For the event queue.</param>
/// <param name="Distrust">Why envelopes were refused; a carrier that delivers such is not used in this round.</param>
/// <param name="Refusal">Headquarters' own sealed refusal of the report, or null.</param>
public sealed record ReplyTaken(
    SyncState State, DeviceIdentity Identity, IReadOnlyList<Note> Notes, IReadOnlyList<string> Distrust, Refusal? Refusal, bool SyncNow);

/// <summary>
/// What a device accepts of a reply: envelopes that headquarters sealed for it and that are newer than the newest of their kind. The carrier's own
/// words (outcome, waits) never change versions or settings.
/// </summary>
public static class ReplyRules
{
    public const string ClockWrong = "clock-wrong";
    public const string ClockRight = "clock-right";
    public const string CertificateRenewed = "certificate-renewed";
    public const string CertificateRefused = "certificate-refused";
    public const string StateRestored = "state-restored";

    // A carrier sends two at most; more is a mistake or an attack on this machine's time.
    private const int MaxEnvelopes = 8;

    /// <summary>Judges all envelopes of a reply.</summary>
    public static ReplyTaken Take(SyncState state, DeviceIdentity identity, SyncReply reply, DeviceOptions options, TimeProvider clock)
    {
        var taken = new ReplyTaken(state, identity, [], [], Refusal: null, SyncNow: false);
        foreach (var envelope in reply.Envelopes.Take(MaxEnvelopes))
        {
            try
            {
                taken = Take(taken, envelope, options, clock);
            }
            catch (EnvelopeException refused)
            {
                taken = taken with { Distrust = [.. taken.Distrust, refused.Message] };
            }
        }

        return taken;
    }

    private static ReplyTaken Take(ReplyTaken taken, ByteString envelope, DeviceOptions options, TimeProvider clock)
    {
        var header = Envelope.Header(envelope.Span);
        var keys = taken.Identity.KeysOf(header.KeyGeneration) ?? throw new EnvelopeException($"the envelope is of key generation {header.KeyGeneration}, which this device does not have");
        switch (header.Kind)
        {
            case EnvelopeKind.Desired:
                var (_, desired) = Envelope.Open(keys, EnvelopeKind.Desired, envelope.Span, DesiredDocument.Parser);
                return IsNew(header, taken.State.NewestDesired, desired.Version) ? TakeDesired(taken, header, desired, clock.GetUtcNow()) : taken;
            case EnvelopeKind.Ack:
                var (_, ack) = Envelope.Open(keys, EnvelopeKind.Ack, envelope.Span, ReportAck.Parser);
                return IsNew(header, taken.State.NewestAck, ack.ReportVersion) ? TakeAck(taken, header, ack, options, clock) : taken;
            default:
                throw new EnvelopeException($"an envelope of kind {header.Kind} came from a carrier");
        }
    }

    /// <summary>Whether an envelope is newer than the newest of its kind; the very same one again is none of both.</summary>
    private static bool IsNew(EnvelopeHeader header, EnvelopeMark newest, ulong version)
    {
        if (header.Version != version)
            throw new EnvelopeException($"the envelope says version {header.Version} and its content {version}");
        var order = EnvelopeMark.Of(header).CompareTo(newest);
        return order >= 0 ? order > 0 : throw new EnvelopeException($"an old envelope was replayed: counter {header.Counter}, and {newest.Counter} was here before");
    }

    private static ReplyTaken TakeDesired(ReplyTaken taken, EnvelopeHeader header, DesiredDocument desired, DateTimeOffset now)
    {
        var state = taken.State with { NewestDesired = EnvelopeMark.Of(header), UpdateTimestamp = Math.Max(taken.State.UpdateTimestamp, desired.UpdateTimestamp) };
        // It moves by itself, and what is wanted stays the same.
        desired.UpdateTimestamp = 0;
        // By content and not by "higher": headquarters owns the numbers, and may have come back from a backup.
        return taken with { State = desired.Equals(state.Desired) ? state : state with { Desired = desired, AppliedAt = now } };
    }

    private static ReplyTaken TakeAck(ReplyTaken taken, EnvelopeHeader header, ReportAck ack, DeviceOptions options, TimeProvider clock)
    {
        var timestamp = Math.Max(taken.State.UpdateTimestamp, ack.UpdateTimestamp);
        taken = taken with { State = taken.State with { NewestAck = EnvelopeMark.Of(header), UpdateTimestamp = timestamp }, SyncNow = taken.SyncNow || ack.SyncNow };
        taken = TakeClock(taken, ack, options.ClockTolerance, clock.GetUtcNow());
        if (ack.Refusal is { } refusal)
            return taken with { Refusal = refusal };
        if (header.KeyGeneration == taken.Identity.Current.Generation && taken.Identity.Previous is not null)
            taken = taken with { Identity = taken.Identity.Settled() };
        return TakeCertificate(TakeVersions(taken, ack), ack, clock);
    }

    private static ReplyTaken TakeVersions(ReplyTaken taken, ReportAck ack)
    {
        var state = taken.State with
        {
            AcknowledgedVersion = Math.Max(taken.State.AcknowledgedVersion, ack.ReportVersion),
            AcknowledgedEvent = Math.Max(taken.State.AcknowledgedEvent, ack.EventNumber),
        };
        if (ack.ReportVersion <= state.ReportedVersion)
            return taken with { State = state };
        // Headquarters has a later report than this device remembers making: its files were restored from a copy. Its next report goes on from there.
        return taken with
        {
            State = state with { ReportedVersion = ack.ReportVersion, ReportContent = ByteString.Empty, ReportLastEvent = Math.Max(state.ReportLastEvent, ack.EventNumber) },
            Notes = [.. taken.Notes, new Note(StateRestored, $"headquarters has report {ack.ReportVersion} of this device, which only remembers {state.ReportedVersion}: its data is an older copy")],
        };
    }

    private static ReplyTaken TakeCertificate(ReplyTaken taken, ReportAck ack, TimeProvider clock)
    {
        // A repeated acknowledgement brings the same certificate again.
        if (ack.CertificateChain.Count == 0 || ack.KeyGeneration <= taken.Identity.Current.Generation)
            return taken;
        return taken.Identity.Renewed([.. ack.CertificateChain.Select(c => c.ToByteArray())], ack.KeyGeneration, clock, out var problem) is { } renewed
            ? taken with { Identity = renewed, Notes = [.. taken.Notes, new Note(CertificateRenewed, $"key generation {renewed.Current.Generation} is in use")] }
            : taken with { Notes = [.. taken.Notes, new Note(CertificateRefused, problem)] };
    }

    /// <summary>
    /// Bounds this clock's error: headquarters sealed the acknowledgement after the report was made and before it arrived here, however long it lay
    /// at a carrier. Only what can't be explained by that is an error.
    /// </summary>
    private static ReplyTaken TakeClock(ReplyTaken taken, ReportAck ack, TimeSpan tolerance, DateTimeOffset now)
    {
        if (ack.HeadquartersTime is null || ack.ReportVersion != taken.State.ReportedVersion)
            return taken;
        var theirs = ack.HeadquartersTime.ToDateTimeOffset();
        var (behindAtLeast, aheadAtLeast) = (theirs - now, taken.State.ReportMadeAt - theirs);
        var behind = behindAtLeast > tolerance ? behindAtLeast : aheadAtLeast > tolerance ? -aheadAtLeast : TimeSpan.Zero;
        var before = taken.State.ClockBehind;
        // The bound moves a little with each sync; telling each step would be a report each.
        if (behind == before || (behind != TimeSpan.Zero && before != TimeSpan.Zero && (behind - before).Duration() < tolerance))
            return taken;
        var note = behind == TimeSpan.Zero ? new Note(ClockRight, "this machine's clock agrees with headquarters' again") : new Note(ClockWrong, ClockProblem(behind)!);
        return taken with { State = taken.State with { ClockBehind = behind }, Notes = [.. taken.Notes, note] };
    }

    /// <summary>Says how wrong this clock is, or null where it is not.</summary>
    public static string? ClockProblem(TimeSpan behind)
    {
        if (behind == TimeSpan.Zero)
            return null;
        var size = behind.Duration();
        var rounded = DurationText.Of(size >= TimeSpan.FromHours(2) ? TimeSpan.FromHours(Math.Round(size.TotalHours)) : TimeSpan.FromMinutes(Math.Ceiling(size.TotalMinutes)));
        return $"this machine's clock is about {rounded} {(behind > TimeSpan.Zero ? "behind" : "ahead of")} headquarters'; set it";
    }
}
