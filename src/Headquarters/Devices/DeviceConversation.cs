using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Devices;

// What the office twin and its device twins say to each other. Never leaves the process.

/// <summary>Office twin → device twin: judge these reports, in this order, against this state.</summary>
public sealed record JudgeReports(Device Device, IReadOnlyList<ReadOnlyMemory<byte>> Envelopes, ReportCircumstances Circumstances);

/// <summary>Device twin → office twin.</summary>
/// <param name="Events">To be journaled before any answer leaves.</param>
/// <param name="Answers">One an envelope.</param>
public sealed record ReportsJudged(DeviceId DeviceId, IReadOnlyList<IDeviceEvent> Events, IReadOnlyList<ReportAnswer> Answers);

/// <param name="Item">For the device: its sealed acknowledgement, or that it is refused.</param>
/// <param name="Outcome">What was decided.</param>
public sealed record ReportAnswer(IDownItem Item, ReportOutcome Outcome);

/// <summary>Device twin → office twin: nothing to do for a while; I may be stopped.</summary>
public sealed record DeviceTwinIdle(DeviceId DeviceId);
