using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Headquarters.Devices;

/// <summary>The truth about one device: what it is, what it last reported, which version it is desired to run. Pure: no clock, no I/O.</summary>
public sealed record Device(DeviceSnapshot Known)
{
    /// <summary>A second machine with one identity is journaled at most this often.</summary>
    public static readonly TimeSpan CloneQuiet = TimeSpan.FromHours(1);

    public DeviceId Id => Known.DeviceId;

    /// <summary>The oldest generation whose key is still accepted: the newest one under which a report came.</summary>
    public CertificateRecord Proven => Known.Certificates[0];

    /// <summary>The newest certificate issued.</summary>
    public CertificateRecord Newest => Known.Certificates[^1];

    public static Device From(DeviceEnrolled enrolled) => new(new DeviceSnapshot(
        enrolled.DeviceId, enrolled.Name, ImmutableDictionary<string, string>.Empty, enrolled.Machine, [enrolled.Certificate],
        DesiredVersion: 0, DesiredHash: default, DesiredAt: enrolled.At,
        ReportedVersion: 0, ReportedHash: default, Counter: 0, Report: default, ReportedAt: enrolled.At,
        EventNumber: 0, EnrolledAt: enrolled.At, CloneSeenAt: null, CloneEvidence: "", Wake: null, AlwaysConnected: null, Placement: null, HasPlace: false, PlaceWhy: null));

    public CertificateRecord? Certificate(uint generation) => Known.Certificates.FirstOrDefault(c => c.Generation == generation);

    /// <summary>What its agent last reported of its machine; empty before its first report. Parsed at each call.</summary>
    public Inventory ReadInventory() => Known.Report.IsEmpty ? new Inventory() : DeviceReport.Parser.ParseFrom(Known.Report.Span).Inventory ?? new Inventory();

    /// <summary>How the packages stand that headquarters wants or wanted on it, as its agent last reported. Parsed at each call.</summary>
    public IReadOnlyList<PackageStatus> ReadPackages() => Known.Report.IsEmpty ? [] : DeviceReport.Parser.ParseFrom(Known.Report.Span).Packages;

    public Device Apply(IDeviceEvent happened) => new(happened switch
    {
        DeviceCertified e => Known with { Certificates = [.. Known.Certificates.Where(c => c.Generation < e.Certificate.Generation), e.Certificate] },
        DeviceReported e => Reported(e, MachineIn(e.Report)),
        DevicePlaced e => Known with
        {
            Labels = e.Labels,
            Placement = new PlacementSnapshot([.. (Known.Placement?.Rules ?? []).Union(e.Rules)], e.Moved ? e.At : Known.Placement?.MovedAt),
        },
        DeviceEventRecorded e => Known with { EventNumber = e.Number },
        DeviceLabelled e => Known with { Labels = e.Labels },
        DeviceDesiredChanged e => Known with { DesiredVersion = e.Version, DesiredHash = e.ContentHash, DesiredAt = e.At },
        DeviceWakeRequested e => Known with { Wake = new WakeSnapshot(e.Counter, e.By, e.At) },
        DeviceWakeEnded e => Known with { Wake = Known.Wake is { } wake && wake.Counter == e.Counter ? wake with { EndedAt = e.At, Channel = e.Channel, Took = e.Took, Detail = e.Detail } : Known.Wake },
        DeviceConnectionSet e => Known with { AlwaysConnected = e.Always },
        DeviceConnectionDecided e => Known with { HasPlace = e.HasPlace, PlaceWhy = e.Why },
        DeviceCloneSeen e => Known with { CloneSeenAt = e.At, CloneEvidence = e.Evidence },
        _ => throw new NotSupportedException($"{happened.GetType().Name} does not change a device"),
    });

    /// <summary>Judges an opened report. The envelope was genuine; whether it is new, a repeat, late or of a second machine is decided here.</summary>
    public ReportDecision Decide(OfficeId office, EnvelopeHeader header, DeviceReport report, ReportCircumstances now)
    {
        if (report.Version != header.Version)
            return ReportDecision.Reject($"the envelope's version {header.Version} is not the report's {report.Version}");
        if (!report.Machine.Span.SequenceEqual(Known.Machine.Span) && now.EnrolledHeardAt + now.Silence > now.At)
            return Cloned(office, report, now);
        if (header.KeyGeneration == Proven.Generation && Late(header))
            return ReportDecision.Repeat;
        return Take(office, header, report, now);
    }

    // The one field that is needed of a report: events are applied many times, reports are long.
    private static ReadOnlyMemory<byte> MachineIn(ReadOnlyMemory<byte> report)
    {
        const uint field = (DeviceReport.MachineFieldNumber << 3) | (uint)WireFormat.WireType.LengthDelimited;
        var bytes = MemoryMarshal.TryGetArray(report, out var array) ? array : report.ToArray();
        var (input, machine) = (new CodedInputStream(bytes.Array!, bytes.Offset, bytes.Count), ReadOnlyMemory<byte>.Empty);
        while (input.ReadTag() is var tag and not 0)
            if (tag == field)
                machine = input.ReadBytes().Memory;
            else
                input.SkipLastField();
        return machine;
    }

    private DeviceSnapshot Reported(DeviceReported e, ReadOnlyMemory<byte> machine) => Known with
    {
        ReportedVersion = e.Version,
        ReportedHash = e.ContentHash,
        Counter = e.Counter,
        Report = e.Report,
        ReportedAt = e.At,
        Machine = machine,
        // The identity went on to another machine: for rules that is an enrolment.
        Placement = Known.Report.IsEmpty || machine.Span.SequenceEqual(Known.Machine.Span) ? Known.Placement : null,
        Certificates = [.. Known.Certificates.Where(c => c.Generation >= e.KeyGeneration)],
    };

    // A version above the current one can't be a replay of something taken before. At or below it, the counter tells a device that lost its
    // newest state (restored, re-imaged) from a carrier that replays.
    private bool Late(EnvelopeHeader header) =>
        header.Version <= Known.ReportedVersion
        && (header.Counter <= Known.Counter || (header.Version == Known.ReportedVersion && header.ContentHash.Span.SequenceEqual(Known.ReportedHash.Span)));

    private ReportDecision Take(OfficeId office, EnvelopeHeader header, DeviceReport report, ReportCircumstances now)
    {
        var events = new List<IDeviceEvent>();
        var state = Lasting(report);
        if (!IsSealedAnew(header, state))
            events.Add(new DeviceReported(office, Id, report.Version, header.Counter, header.KeyGeneration, header.ContentHash.Memory, state.ToByteArray(), now.At));
        // Headquarters was restored from a backup older than what it had wanted since: over that it must be newer again to be obeyed.
        if (report.AppliedVersion > Known.DesiredVersion && report.AppliedVersion < ulong.MaxValue)
            events.Add(new DeviceDesiredChanged(office, Id, report.AppliedVersion + 1, Known.DesiredHash, now.At));
        var last = Known.EventNumber;
        foreach (var entry in report.Events.Where(e => e.Number > last).OrderBy(e => e.Number).DistinctBy(e => e.Number))
            events.Add(new DeviceEventRecorded(office, Id, entry.Number, entry.Kind, entry.Text, entry.At?.ToDateTimeOffset() ?? now.At, now.At));
        return events.Count == 0 ? ReportDecision.Repeat : new ReportDecision(ReportOutcome.Taken, events, "");
    }

    // What is journaled of it: events have their own, a renewal is answered.
    private static DeviceReport Lasting(DeviceReport report)
    {
        if (report.Events.Count == 0 && report.RenewalRequest.IsEmpty)
            return report;
        var state = report.Clone();
        state.Events.Clear();
        state.RenewalRequest = ByteString.Empty;
        return state;
    }

    // The same state sealed once more (only the clock in it went on) is not news.
    private bool IsSealedAnew(EnvelopeHeader header, DeviceReport state)
    {
        if (header.Version != Known.ReportedVersion || header.KeyGeneration != Proven.Generation || Known.Report.IsEmpty)
            return false;
        var known = DeviceReport.Parser.ParseFrom(Known.Report.Span);
        known.DeviceTime = state.DeviceTime;
        return known.Equals(state);
    }

    private ReportDecision Cloned(OfficeId office, DeviceReport report, ReportCircumstances now)
    {
        var evidence = $"machine {Short(report.Machine.Span)} ({report.Inventory?.HostName}) reported as {Id}, which is machine {Short(Known.Machine.Span)}";
        IDeviceEvent[] events = Known.CloneSeenAt + CloneQuiet > now.At ? [] : [new DeviceCloneSeen(office, Id, report.Machine.Memory, evidence, now.At)];
        return new ReportDecision(ReportOutcome.Cloned, events, evidence);
    }

    private static string Short(ReadOnlySpan<byte> machine) => Convert.ToHexStringLower(machine[..Math.Min(6, machine.Length)]);
}

/// <summary>What a decision about a report needs beside the device.</summary>
/// <param name="EnrolledHeardAt">When the enrolled machine itself last gave a sign of life.</param>
/// <param name="Silence">After this long without one, another machine may take its place.</param>
/// <param name="UpdateTimestamp">Version of the newest timestamp of the tenant's repository.</param>
public readonly record struct ReportCircumstances(DateTimeOffset At, DateTimeOffset EnrolledHeardAt, TimeSpan Silence, ulong UpdateTimestamp = 0);

public enum ReportOutcome
{
    /// <summary>News: journal, then acknowledge.</summary>
    Taken = 1,

    /// <summary>Nothing new: acknowledge once more.</summary>
    Repeated = 2,

    /// <summary>Of a second machine: refused, the device unharmed.</summary>
    Cloned = 3,

    /// <summary>Malformed: refused.</summary>
    Rejected = 4,
}

public sealed record ReportDecision(ReportOutcome Outcome, IReadOnlyList<IDeviceEvent> Events, string Detail)
{
    public static ReportDecision Repeat { get; } = new(ReportOutcome.Repeated, [], "");

    public static ReportDecision Reject(string why) => new(ReportOutcome.Rejected, [], why);
}
