using Akka.Configuration;
using Fleet.Contracts.Envelopes;
using Fleet.Messages.Settings;

namespace Fleet.Office.Link;

/// <summary>Block <c>fleet.office.relay</c>.</summary>
public sealed record RelayOptions(int Window, int FrameItems, int FrameBytes, int MaxPassing, TimeSpan StoredWithin, TimeSpan PresenceInterval)
{
    /// <summary>A frame is closed by the item that takes it over the limit: the largest item, and what wraps the items.</summary>
    public const int FrameMargin = Envelope.MaxBytes + 16 * 1024;

    public static RelayOptions From(Config fleet, Problems problems) => new(
        Window: problems.Number(fleet, "office.relay.window", 1, 1000),
        FrameItems: problems.Number(fleet, "office.relay.frame-items", 1, 10_000),
        FrameBytes: problems.Number(fleet, "office.relay.frame-bytes", 4096, 16 * 1024 * 1024),
        MaxPassing: problems.Number(fleet, "office.relay.max-passing", 10, 1_000_000),
        StoredWithin: problems.Positive(fleet, "office.relay.stored-within"),
        PresenceInterval: problems.Positive(fleet, "office.relay.presence-interval"));
}
