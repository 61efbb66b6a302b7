using System.Security.Cryptography;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Sync;

/// <summary>When a device makes a new report, and what is in it. Pure but for the cipher's nonce.</summary>
public static class ReportRules
{
    /// <summary>The most events in one report; the rest goes with the next.</summary>
    public const int MaxEvents = 200;

    // Header, nonce, tag, and the fields that are filled in after the measuring.
    private const int EnvelopeOverhead = 1024;
    private const int LargestContent = Envelope.MaxBytes - EnvelopeOverhead;

    /// <summary>
    /// Returns the state with a newly sealed report where something changed since the newest one, else the same state. What changes by itself (the
    /// time, the run id) is no change; acknowledged events going away is none either.
    /// </summary>
    /// <param name="facts">The report without version, time and events.</param>
    /// <param name="events">The oldest waiting events, at most <see cref="MaxEvents"/>.</param>
    /// <param name="keys">Derives the keys; asked only where a report is sealed, because an unchanged sync should cost no key agreement.</param>
    public static SyncState Refreshed(SyncState state, DeviceReport facts, IReadOnlyList<DeviceEvent> events, Func<EnvelopeKeys> keys, DateTimeOffset now)
    {
        var report = Fitting(facts);
        var content = ByteString.CopyFrom(SHA256.HashData(Lasting(report).ToByteArray()));
        AddFitting(report, events);
        var lastEvent = report.Events.Count > 0 ? report.Events[^1].Number : 0;
        if (content == state.ReportContent && lastEvent <= state.ReportLastEvent)
            return state;

        report.Version = state.ReportedVersion + 1;
        report.DeviceTime = Timestamp.FromDateTimeOffset(now);
        var counter = state.SentCounter + 1;
        return state with
        {
            SentCounter = counter,
            ReportedVersion = report.Version,
            ReportContent = content,
            ReportEnvelope = ByteString.CopyFrom(Envelope.Seal(keys(), EnvelopeKind.Report, report.Version, counter, report)),
            ReportMadeAt = now,
            ReportLastEvent = Math.Max(state.ReportLastEvent, lastEvent),
        };
    }

    /// <summary>What the device says to a carrier; the report goes along while it is not acknowledged, or where the carrier wants it.</summary>
    /// <param name="wokenBy">The counter of the wake signal that this sync acknowledges; 0 = none.</param>
    public static SyncRequest Request(SyncState state, Identity.DeviceIdentity identity, ByteString runId, string agentVersion, bool reportWanted, ulong wokenBy) => new()
    {
        DeviceId = identity.Device.Value,
        OfficeId = state.Desired?.OfficeId is { Length: > 0 } office ? office : identity.Office.Value,
        DesiredVersion = state.DesiredVersion,
        ReportedVersion = state.ReportedVersion,
        AcknowledgedVersion = state.AcknowledgedVersion,
        Envelope = state.AwaitsAck || reportWanted ? state.ReportEnvelope : ByteString.Empty,
        RunId = runId,
        AgentVersion = agentVersion,
        WokenBy = wokenBy,
    };

    private static DeviceReport Lasting(DeviceReport report)
    {
        var lasting = report.Clone();
        lasting.RunId = ByteString.Empty;
        return lasting;
    }

    private static DeviceReport Fitting(DeviceReport facts)
    {
        var report = facts.Clone();
        // Room stays for some events: a device with huge settings must not lose its history.
        if (report.CalculateSize() <= LargestContent / 2)
            return report;
        report.Settings.Clear();
        report.Problems.Add("the effective settings are too large to be reported");
        return report;
    }

    private static void AddFitting(DeviceReport report, IReadOnlyList<DeviceEvent> events)
    {
        var size = report.CalculateSize();
        foreach (var waiting in events.Take(MaxEvents))
        {
            // Tag and length of the field take up to 4 bytes.
            size += waiting.CalculateSize() + 4;
            if (size > LargestContent)
                return;
            report.Events.Add(waiting);
        }
    }
}
