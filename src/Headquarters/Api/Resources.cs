using System.Globalization;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Api;

/// <summary>The read model's views as the REST API shows them.</summary>
internal static class Resources
{
    public static OfficeResource Of(OfficeView o) => new(o.OfficeId.Value, o.Title, o.OpenedAt, o.Nodes, o.LinkedNodes, o.Devices);

    public static NodeResource Of(NodeView n) => new(
        n.NodeId.Value, n.OfficeId.Value, n.DeviceId.Value, Names(n.DesiredRoles), Names(n.Roles), n.DesiredVersion, n.AppliedVersion,
        n.Linked, n.LinkSince, n.LinkReason, n.GatewayAddresses, n.PushAddresses, n.LinkAddresses, n.LinkedBy, n.Through?.Value, n.DmzAddress, n.HostName, n.Version, n.StartedAt, n.ReportedAt, n.EnrolledAt, n.CertificateNotAfter, n.Problems,
        PolicySettings.Mode(!n.Mode.Periodic)!, PolicySettings.Mode(n.Mode.Set), n.Mode.Why.Length == 0 ? null : n.Mode.Why, n.Mode.Periodic ? n.Mode.Interval.TotalSeconds : null,
        n.ContentAddresses, n.Mirror is { } mirror ? new MirrorResource(mirror.Timestamp, mirror.Whole, mirror.Problem.Length == 0 ? null : mirror.Problem) : null);

    public static DeviceResource Of(DeviceView d) => new(
        d.DeviceId.Value, d.Name, d.OfficeId.Value, d.HostName, d.Os, d.AgentVersion, d.DesiredVersion, d.AppliedVersion, d.ReportedVersion,
        d.AppliedVersion >= d.DesiredVersion, d.ReportedAt, d.LastSync, d.Through?.Value, d.Labels, d.CloneSeenAt,
        d.Presence.State.ToString().ToLowerInvariant(), d.Presence.Since, d.Presence.Why);

    public static DeviceDetailResource Of(DeviceDetail d) => new(
        Of(d.Device), d.EnrolledAt, d.DesiredAt, d.AppliedAt, d.AppliedKnownAt, d.Delay?.TotalSeconds, d.CertificateSerial, d.CertificateNotAfter, d.KeyGeneration,
        d.CloneEvidence, d.Report?.Inventory is { } inventory ? Of(inventory) : null, d.Report?.Settings.ToDictionary() ?? [], [.. d.Report?.Problems ?? []],
        PolicySettings.Mode(d.AlwaysConnected), d.Wake is { } wake ? Of(wake) : null,
        d.SeenOnNetwork is { } seen ? NetworkResourcesOf.Of(seen) : null, PolicySettings.Mode(d.HasPlace)!, d.PlaceWhy.Length == 0 ? null : d.PlaceWhy,
        [.. (d.Report?.Packages ?? []).Select(RolloutResources.Of)]);

    private static WakeResource Of(WakeView w) => new(
        w.Counter.ToString(CultureInfo.InvariantCulture), w.EndedAt is null ? "running" : w.Channel is null ? "failed" : "woken", w.RequestedAt, w.EndedAt,
        w.Channel is { } channel ? WakeLadder.Name(channel).Replace(' ', '-') : null, w.Took?.TotalMilliseconds, w.Detail.Length == 0 ? [] : w.Detail.Split('\n'));

    public static TokenResource Of(TokenView t) => new(
        t.TokenId.Value, t.OfficeId.Value, Name(t.Kind), t.State.ToString().ToLowerInvariant(), t.Uses, t.Used, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.CreatedBy);

    public static PolicyResource Of(PolicyView p) => new(
        p.Document.Name.Value, p.Version, [.. p.Document.Offices.Select(o => o.Value)], p.Document.Labels, p.Document.Priority, p.Document.Settings, p.AppliedAt, p.AppliedBy);

    public static IncidentResource Of(IncidentView i) =>
        new(i.Id, i.WholeOffice ? "office-down" : "node-down", i.OfficeId.Value, i.Subject, i.OpenedAt, i.ClosedAt, i.Why, i.Devices);

    public static EventResource Of(EventView e) => new(e.Position, e.OfficeId.Value, e.Subject, e.Number, e.Kind, e.Text, e.SourceTime, e.At);

    /// <summary>How the API names who may join.</summary>
    public static string Name(Messages.Offices.JoinKind kind) => kind.ToString().ToLowerInvariant();

    private static IReadOnlyList<string> Names(IReadOnlyList<NodeRole> roles) => [.. roles.Select(NodeRoles.Name)];

    private static InventoryResource Of(Inventory i) => new(
        i.HostName, i.OsName, i.OsVersion, i.Kernel, i.Architecture, i.CpuModel, i.CpuCores, i.MemoryBytes, i.BootedAt?.ToDateTimeOffset(),
        [.. i.Disks.Select(d => new DiskResource(d.Mount, d.FileSystem, d.SizeBytes, d.FreeBytes))],
        [.. i.Interfaces.Select(n => new InterfaceResource(n.Name, n.Mac, n.Addresses))]);
}
