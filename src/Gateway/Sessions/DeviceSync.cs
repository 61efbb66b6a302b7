using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Tracing;

namespace Fleet.Gateway.Sessions;

/// <summary>What a device says in one sync, as far as a carrier can read it.</summary>
/// <param name="Report">The sealed report, while headquarters has not acknowledged it; else null.</param>
/// <param name="WokenBy">The counter of the wake signal that this sync acknowledges; 0 = none.</param>
/// <param name="Leaving">The agent stops after this sync.</param>
public sealed record DeviceSync(
    DeviceId DeviceId,
    OfficeId OfficeHint,
    ulong DesiredVersion,
    ulong ReportedVersion,
    ulong AcknowledgedVersion,
    CarriedEnvelope? Report,
    string RunId,
    ulong WokenBy,
    bool Leaving)
{
    /// <summary>A W3C traceparent, where the wake signal came with one.</summary>
    public string? Trace { get; init; }

    /// <summary>Longest run id and agent version, in bytes; both are 16-byte random or short text.</summary>
    private const int MaxText = 64;

    /// <summary>Whether the device still waits for headquarters' acknowledgement of its newest report.</summary>
    public bool AwaitsAck => ReportedVersion > AcknowledgedVersion;

    /// <summary>Reads a request; null and what is wrong with it where it is malformed.</summary>
    public static DeviceSync? From(DeviceId device, SyncRequest request, out string problem)
    {
        problem = IdText.Problem(request.OfficeId) is { } office ? $"office_id: {office}"
            : request.RunId.Length is 0 or > MaxText ? $"run_id must have 1 to {MaxText} bytes"
            : request.AgentVersion.Length > MaxText ? $"agent_version is longer than {MaxText} characters"
            : request.AcknowledgedVersion > request.ReportedVersion ? "acknowledged_version is over reported_version"
            : "";
        CarriedEnvelope? report = null;
        if (problem.Length == 0 && !request.Envelope.IsEmpty)
            report = CarriedEnvelope.From(device, request.Envelope.Memory, out problem);
        if (report is not null && report.Kind != EnvelopeKind.Report)
            problem = $"the envelope is a {report.Kind}, and a device sends reports";
        else if (report is not null && report.Version != request.ReportedVersion)
            problem = $"the envelope has report {report.Version}, reported_version says {request.ReportedVersion}";
        return problem.Length > 0
            ? null
            : new DeviceSync(device, new OfficeId(request.OfficeId), request.DesiredVersion, request.ReportedVersion, request.AcknowledgedVersion, report,
                Convert.ToHexStringLower(request.RunId.Span), request.WokenBy, request.Leaving)
            { Trace = Traces.Read(request.Trace) };
    }
}

/// <summary>A sealed envelope on its way, with what its clear header says.</summary>
public sealed record CarriedEnvelope(EnvelopeKind Kind, ulong Version, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Reads the header; null and the reason where it is no envelope of this device.</summary>
    public static CarriedEnvelope? From(DeviceId device, ReadOnlyMemory<byte> bytes, out string problem)
    {
        try
        {
            var header = Envelope.Header(bytes.Span);
            problem = header.DeviceId == device.Value ? "" : $"the envelope is of {header.DeviceId}, not of {device}";
            return problem.Length == 0 ? new CarriedEnvelope(header.Kind, header.Version, bytes) : null;
        }
        catch (EnvelopeException fault)
        {
            problem = fault.Message;
            return null;
        }
    }
}
