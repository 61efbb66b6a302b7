using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Storage;
using Fleet.Device.Storage.Files;
using Google.Protobuf;

namespace Fleet.Device.Sync;

/// <summary>The newest envelope of one kind that was accepted.</summary>
public readonly record struct EnvelopeMark(uint Generation, ulong Counter) : IComparable<EnvelopeMark>
{
    public static EnvelopeMark Of(EnvelopeHeader header) => new(header.KeyGeneration, header.Counter);

    public int CompareTo(EnvelopeMark other) => (Generation, Counter).CompareTo((other.Generation, other.Counter));
}

/// <summary>Where a device's conversation with headquarters stands. Immutable; <see cref="ReportRules"/> and <see cref="ReplyRules"/> make the next one.</summary>
public sealed record SyncState
{
    private const string FileName = "state.bin";

    /// <summary>What headquarters wants; null before the first document.</summary>
    public DesiredDocument? Desired { get; init; }

    public DateTimeOffset AppliedAt { get; init; }

    public EnvelopeMark NewestDesired { get; init; }

    public EnvelopeMark NewestAck { get; init; }

    /// <summary>Counter of the newest envelope this device sealed.</summary>
    public ulong SentCounter { get; init; }

    public ulong ReportedVersion { get; init; }

    /// <summary>The newest report version for which headquarters sealed an acknowledgement.</summary>
    public ulong AcknowledgedVersion { get; init; }

    /// <summary>Hash of the newest report without what changes by itself.</summary>
    public ByteString ReportContent { get; init; } = ByteString.Empty;

    /// <summary>The newest report, sealed.</summary>
    public ByteString ReportEnvelope { get; init; } = ByteString.Empty;

    public DateTimeOffset ReportMadeAt { get; init; }

    /// <summary>The highest event number ever put into a report.</summary>
    public ulong ReportLastEvent { get; init; }

    public ulong AcknowledgedEvent { get; init; }

    /// <summary>Who carried the newest sync (or the enrolment): a node id or <c>headquarters</c>.</summary>
    public string ReachedThrough { get; init; } = "";

    /// <summary>How far this clock is behind headquarters' (negative: ahead of it) while that is out of tolerance; else zero.</summary>
    public TimeSpan ClockBehind { get; init; }

    /// <summary>Counter of the newest wake signal that was accepted.</summary>
    public ulong WakeCounter { get; init; }

    /// <summary>The highest version of the update repository's timestamp that headquarters ever told; a source that shows an older one is frozen.</summary>
    public ulong UpdateTimestamp { get; init; }

    public ulong DesiredVersion => Desired?.Version ?? 0;

    public bool AwaitsAck => ReportedVersion > AcknowledgedVersion;

    /// <summary>The state kept, or a fresh one.</summary>
    /// <exception cref="StorageException">The file is damaged.</exception>
    public static SyncState Load(IDeviceStorage storage)
    {
        if (storage.Read(FileName) is not { } content)
            return new SyncState();
        try
        {
            var file = StateFile.Parser.ParseFrom(content);
            return new SyncState
            {
                Desired = file.Desired.IsEmpty ? null : DesiredDocument.Parser.ParseFrom(file.Desired),
                AppliedAt = DateTimeOffset.FromUnixTimeMilliseconds(file.AppliedAtMs),
                NewestDesired = ToMark(file.NewestDesired),
                NewestAck = ToMark(file.NewestAck),
                SentCounter = file.SentCounter,
                ReportedVersion = file.ReportedVersion,
                AcknowledgedVersion = file.AcknowledgedVersion,
                ReportContent = file.ReportContent,
                ReportEnvelope = file.ReportEnvelope,
                ReportMadeAt = DateTimeOffset.FromUnixTimeMilliseconds(file.ReportMadeAtMs),
                ReportLastEvent = file.ReportLastEvent,
                AcknowledgedEvent = file.AcknowledgedEvent,
                ReachedThrough = file.ReachedThrough,
                ClockBehind = TimeSpan.FromMilliseconds(file.ClockBehindMs),
                WakeCounter = file.WakeCounter,
                UpdateTimestamp = file.UpdateTimestamp,
            };
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or ArgumentOutOfRangeException)
        {
            throw new StorageException($"{FileName} is damaged ({fault.Message}); restore it from a backup, or enrol anew into an empty directory");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Save(IDeviceStorage storage) => storage.Replace(FileName, new StateFile
    {
        Desired = Desired?.ToByteString() ?? ByteString.Empty,
        AppliedAtMs = AppliedAt.ToUnixTimeMilliseconds(),
        NewestDesired = FromMark(NewestDesired),
        NewestAck = FromMark(NewestAck),
        SentCounter = SentCounter,
        ReportedVersion = ReportedVersion,
        AcknowledgedVersion = AcknowledgedVersion,
        ReportContent = ReportContent,
        ReportEnvelope = ReportEnvelope,
        ReportMadeAtMs = ReportMadeAt.ToUnixTimeMilliseconds(),
        ReportLastEvent = ReportLastEvent,
        AcknowledgedEvent = AcknowledgedEvent,
        ReachedThrough = ReachedThrough,
        ClockBehindMs = (long)ClockBehind.TotalMilliseconds,
        WakeCounter = WakeCounter,
        UpdateTimestamp = UpdateTimestamp,
    }.ToByteArray());

    private static EnvelopeMark ToMark(MarkFile? file) => new(file?.Generation ?? 0, file?.Counter ?? 0);

    private static MarkFile FromMark(EnvelopeMark mark) => new() { Generation = mark.Generation, Counter = mark.Counter };
}
