using System.Collections.Immutable;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Discovery;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// The truth about one office: its tokens, nodes, devices and the policies it knows. Pure: no clock, no I/O. What it decides on commands
/// is in <see cref="OfficeRules"/>, on newcomers in <see cref="Enrolment"/>.
/// </summary>
public sealed record Office(OfficeId Id)
{
    /// <summary>A token that expired longer ago is not told from one that never was.</summary>
    private static readonly TimeSpan TokensKept = TimeSpan.FromDays(90);

    /// <summary>The certificate of a device that went longer ago, and has not been heard of since, is long over: it has to enrol anew wherever it is.</summary>
    private static readonly TimeSpan ForwardsKept = TimeSpan.FromDays(365);

    public string Title { get; init; } = "";

    public bool IsOpen { get; init; }

    public DateTimeOffset OpenedAt { get; init; }

    public ImmutableDictionary<TokenId, TokenSnapshot> Tokens { get; init; } = ImmutableDictionary<TokenId, TokenSnapshot>.Empty;

    public ImmutableDictionary<NodeId, NodeSnapshot> Nodes { get; init; } = ImmutableDictionary<NodeId, NodeSnapshot>.Empty;

    public ImmutableDictionary<DeviceId, Device> Devices { get; init; } = ImmutableDictionary<DeviceId, Device>.Empty;

    /// <summary>Where devices went that were here.</summary>
    public ImmutableDictionary<DeviceId, DeviceForward> Forwards { get; init; } = ImmutableDictionary<DeviceId, DeviceForward>.Empty;

    public PolicyBook Book { get; init; } = PolicyBook.Empty;

    /// <summary>The rules that place devices.</summary>
    public RuleBook Rules { get; init; } = RuleBook.Empty;

    /// <summary>What the company has said of updates.</summary>
    public UpdateBook Updates { get; init; } = UpdateBook.Empty;

    /// <summary>Agents that are being set up on discovered devices.</summary>
    public ImmutableDictionary<InstallId, InstallSnapshot> Installs { get; init; } = ImmutableDictionary<InstallId, InstallSnapshot>.Empty;

    /// <summary>Who polls the office's network, and how.</summary>
    public Polling Polling { get; init; } = new();

    /// <summary>Devices on the office's network that have no agent.</summary>
    public ImmutableDictionary<DiscoveredId, DiscoveredDevice> Discovered { get; init; } = ImmutableDictionary<DiscoveredId, DiscoveredDevice>.Empty;

    /// <summary>What all devices' documents were last compared by (<see cref="OfficeDocumentsChecked"/>); empty: they never were.</summary>
    public ReadOnlyMemory<byte> DocumentsBasis { get; init; }

    /// <summary>The gateways that devices of the office are told of, in order.</summary>
    public IEnumerable<NodeSnapshot> Gateways =>
        Nodes.Values.Where(n => n.Roles.Contains(NodeRole.Gateway) && n.Report is { GatewayAddresses.Count: > 0 }).OrderBy(n => n.NodeId.Value, StringComparer.Ordinal);

    /// <summary>The push servers that always-connected devices of the office are told of.</summary>
    public IEnumerable<NodeSnapshot> PushServers =>
        Nodes.Values.Where(n => n.Roles.Contains(NodeRole.PushServer) && n.Report is { PushAddresses.Count: > 0 }).OrderBy(n => n.NodeId.Value, StringComparer.Ordinal);

    /// <summary>The distribution points that devices of the office are told of.</summary>
    public IEnumerable<NodeSnapshot> DistributionPoints =>
        Nodes.Values.Where(n => n.Roles.Contains(NodeRole.DistributionPoint) && n.Report is { ContentAddresses.Count: > 0 }).OrderBy(n => n.NodeId.Value, StringComparer.Ordinal);

    public Office Apply(IOfficeEvent happened) => happened switch
    {
        OfficeEvents e => Apply(e.Events),
        OfficeOpened e => this with { Title = e.Title, IsOpen = true, OpenedAt = e.At },
        OfficeClosed => new Office(Id),
        TokenCreated e => this with { Tokens = Tokens.SetItem(e.TokenId, new TokenSnapshot(e.TokenId, e.Kind, e.Uses, 0, e.ExpiresAt, e.Secret, false, e.By, e.At, null)) },
        TokenUsed e => WithToken(e.TokenId, t => t with { Used = t.Used + 1 }),
        TokenWasRevoked e => WithToken(e.TokenId, t => t with { Revoked = true, RevokedAt = e.At }),
        EnrolmentRefused => this,
        NodeEnrolled e => this with
        {
            Nodes = Nodes.SetItem(e.NodeId, new NodeSnapshot(e.NodeId, e.DeviceId, [e.Certificate], 0, [], null, 0, false, e.At, "has not linked yet", e.At, e.At, e.At, null, null,
                AlwaysLinked: null, Periodic: false, DialInterval: TimeSpan.Zero, PeriodicWhy: null)),
        },
        NodeCertified e => WithNode(e.NodeId, n => n with { Certificates = StillValid(n.Certificates, e.Certificate, e.At) }),
        NodeRolesAssigned e => WithNode(e.NodeId, n => n with { DesiredVersion = e.Version, Roles = e.Roles, DesiredAt = e.At }),
        NodeDesiredRaised e => WithNode(e.NodeId, n => n with { DesiredVersion = e.Version, DesiredAt = e.At }),
        NodeWaySet e => WithNode(e.NodeId, n => n with { DesiredVersion = e.Version, Through = e.Through, DmzAddress = e.DmzAddress, DesiredAt = e.At }),
        NodeReported e => WithNode(e.NodeId, n => n with { Report = e.Report, ReportedAt = e.At }),
        NodeEventRecorded e => WithNode(e.NodeId, n => n with { EventNumber = e.Event.Number }),
        NodeLinkChanged e => WithNode(e.NodeId, n => n with { Linked = e.Up, LinkReason = e.Reason, LinkSince = n.Linked == e.Up && !e.Up ? n.LinkSince : e.At }),
        NodeLinkSet e => WithNode(e.NodeId, n => n with { AlwaysLinked = e.Always }),
        NodeLinkDecided e => WithNode(e.NodeId, n => n with
        {
            DesiredVersion = e.Version,
            DesiredAt = e.At,
            Periodic = e.Periodic,
            DialInterval = e.Interval,
            PeriodicWhy = e.Why,
        }),
        NodeRemoved e => this with { Nodes = Nodes.Remove(e.NodeId) },
        OfficeRulesAdopted e => this with { Rules = e.Book },
        OfficeUpdatesAdopted e => this with { Updates = e.Book },
        OfficePoliciesAdopted e => this with { Book = e.Book },
        OfficeDocumentsChecked e => this with { DocumentsBasis = e.Basis },
        DeviceEnrolled e => this with { Devices = Devices.SetItem(e.DeviceId, Device.From(e)) },
        DeviceMovedIn e => this with { Devices = Devices.SetItem(e.DeviceId, new Device(e.Device)), Forwards = Forwards.Remove(e.DeviceId) },
        DeviceMovedOut e => this with
        {
            Devices = Devices.Remove(e.DeviceId),
            Forwards = Forwards.SetItem(e.DeviceId, new DeviceForward(e.DeviceId, e.To, e.Device.DesiredVersion, e.Device, e.At)),
        },
        DeviceMoveDone e => Forwards.TryGetValue(e.DeviceId, out var forward)
            ? this with { Forwards = Forwards.SetItem(e.DeviceId, forward with { Leaving = null }) }
            : this,
        DeviceRemoved e => this with { Devices = Devices.Remove(e.DeviceId), Forwards = Forwards.Remove(e.DeviceId) },
        AgentInstallBegun e => this with { Installs = Installs.SetItem(e.InstallId, new InstallSnapshot(e, null)) },
        AgentInstallJoined e => Installs.TryGetValue(e.InstallId, out var open) ? this with { Installs = Installs.SetItem(e.InstallId, open with { DeviceId = e.DeviceId }) } : this,
        AgentInstallEnded e => this with { Installs = Installs.Remove(e.InstallId) },
        IPollingEvent e => this with { Polling = Polling.Apply(e) },
        DeviceDiscovered e => this with { Discovered = Discovered.SetItem(e.Device.DiscoveredId, e.Device) },
        DiscoveredDevicesSeen e => this with { Discovered = Discovered.SetItems(e.Devices.Where(d => Discovered.ContainsKey(d.DiscoveredId)).Select(d => KeyValuePair.Create(d.DiscoveredId, d))) },
        DiscoveredDeviceIgnored e => Discovered.TryGetValue(e.DiscoveredId, out var found) ? this with { Discovered = Discovered.SetItem(e.DiscoveredId, found with { Ignored = e.Ignored }) } : this,
        DiscoveredDeviceGone e => this with { Discovered = Discovered.Remove(e.DiscoveredId) },
        IDeviceEvent e => Devices.TryGetValue(e.DeviceId, out var device) ? this with { Devices = Devices.SetItem(e.DeviceId, device.Apply(e)) } : this,
        _ => throw new NotSupportedException($"{happened.GetType().Name} has no meaning for an office"),
    };

    public Office Apply(IEnumerable<IOfficeEvent> happened) => happened.Aggregate(this, (office, e) => office.Apply(e));

    /// <summary>The state for a snapshot; secrets of tokens that are over stay out of it, and so does what nobody can ask for any more.</summary>
    public OfficeSnapshot ToSnapshot(DateTimeOffset now) => new(Id, Title, IsOpen,
        [.. Tokens.Values.Where(t => t.ExpiresAt > now - TokensKept).Select(t => t.Revoked || t.ExpiresAt <= now ? t with { Secret = default } : t)],
        [.. Nodes.Values], [.. Devices.Values.Select(d => d.Known)],
        [.. Forwards.Values.Where(f => f.Leaving is not null || f.At is null || f.At > now - ForwardsKept).Select(f => f with { At = f.At ?? now })], Book, OpenedAt, Polling.ToSnapshot(Discovered.Values), Rules, [.. Installs.Values], Updates, DocumentsBasis);

    public static Office From(OfficeSnapshot s) => new(s.OfficeId)
    {
        Title = s.Title,
        IsOpen = s.IsOpen,
        OpenedAt = s.OpenedAt,
        Tokens = s.Tokens.ToImmutableDictionary(t => t.TokenId),
        Nodes = s.Nodes.ToImmutableDictionary(n => n.NodeId),
        Devices = s.Devices.ToImmutableDictionary(d => d.DeviceId, d => new Device(d)),
        Forwards = s.Forwards.ToImmutableDictionary(f => f.DeviceId),
        Book = s.Book,
        Installs = (s.Installs ?? []).ToImmutableDictionary(i => i.Begun.InstallId),
        Rules = s.Rules ?? RuleBook.Empty,
        Updates = s.Updates ?? UpdateBook.Empty,
        DocumentsBasis = s.DocumentsBasis,
        Polling = s.Network is { } network ? Polling.From(network) : new Polling(),
        Discovered = (s.Network?.Discovered ?? []).ToImmutableDictionary(d => d.DiscoveredId),
    };

    private Office WithToken(TokenId id, Func<TokenSnapshot, TokenSnapshot> change) =>
        Tokens.TryGetValue(id, out var token) ? this with { Tokens = Tokens.SetItem(id, change(token)) } : this;

    private Office WithNode(NodeId id, Func<NodeSnapshot, NodeSnapshot> change) =>
        Nodes.TryGetValue(id, out var node) ? this with { Nodes = Nodes.SetItem(id, change(node)) } : this;

    // A renewal whose answer was lost is asked for again, so a node may hold any of its newest certificates; the oldest of many go.
    private static IReadOnlyList<CertificateRecord> StillValid(IReadOnlyList<CertificateRecord> held, CertificateRecord next, DateTimeOffset now)
    {
        const int kept = 4;
        return [.. held.Where(c => c.NotAfter > now).TakeLast(kept - 1), next];
    }
}
