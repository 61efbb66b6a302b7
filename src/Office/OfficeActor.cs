using System.Net;
using System.Text;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Gateway;
using Fleet.Gateway.Monitoring;
using Fleet.Gateway.Push;
using Fleet.Gateway.Service;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Discovery;
using Fleet.Office.DistributionPoint;
using Fleet.Office.Identity;
using Fleet.Office.Installs;
using Fleet.Office.Link;
using Fleet.Office.Monitoring;
using Fleet.Office.Outbox;
using Fleet.Office.Passing;
using Fleet.Office.Roles;
using Microsoft.Extensions.Logging;

namespace Fleet.Office;

/// <summary>What an <see cref="OfficeActor"/> is made of; the files and ports stay its maker's to close.</summary>
/// <param name="Meter">Where its parts count what they do.</param>
/// <param name="Network">Null: the machine's own sockets.</param>
/// <param name="PollMethods">The ways of looking at the office's network.</param>
/// <param name="Linked">Called when the link has come up.</param>
/// <param name="Wake">Called with each wake signal, for whichever device it is.</param>
public sealed record OfficeParts(
    NodeId Node,
    string Version,
    OfficeOptions Options,
    DataDirectory Data,
    NodeCredentials Credentials,
    OutboxFile Outbox,
    GatewayFile GatewayFile,
    RolePorts Ports,
    LinkSystemFactory LinkSystems,
    LinkPortSetup LinkPort,
    OfficeMeter Meter,
    IByteNetwork? Network,
    IReadOnlyDictionary<PollMethod, IPollMethod> PollMethods,
    TimeProvider Clock,
    ILoggerFactory Logging,
    Action Linked,
    Action<WakeDevice> Wake);

/// <summary>
/// Runs the node: starts and stops roles as headquarters' desired document for it says, reports what it is, renews its certificate. Parent of
/// HqLink, Relay, gateway, poller, installer and roles; lives as long as the node.
/// </summary>
public sealed class OfficeActor : ReceiveActor, IWithTimers
{
    private const string DistributionFolder = "distribution";

    private readonly OfficeParts _parts;
    private readonly HeadquartersClock _headquartersClock;
    private readonly DateTimeOffset _startedAt;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _relay;
    private readonly IActorRef _gateway;
    private readonly IActorRef _poller;
    private readonly IActorRef _link;
    private readonly Dictionary<NodeRole, PortRole> _roles = [];
    private PortRole? _linkPort;
    private NodeDesired _desired;
    private string? _outboxTrouble;
    private string? _storageTrouble;
    private NodeReport _reported;
    private MirrorState? _mirror;
    private bool _linked;

    public OfficeActor(OfficeParts parts)
    {
        (_parts, _startedAt, _headquartersClock) = (parts, parts.Clock.GetUtcNow(), new HeadquartersClock(parts.Clock));
        _desired = DesiredFile.Load(parts.Data) ?? new NodeDesired(0, [], TimeSpan.Zero, null, [], [], Periodic: false, Updates: null);
        parts.LinkPort.Ways.Obey(_desired);
        _reported = Report();
        _relay = Context.ActorOf(Relay.Props(parts.Options.Relay, parts.Outbox, _reported, parts.Clock, parts.Meter), "relay");
        _gateway = Context.ActorOf(GatewayActor.Props(parts.Options.Gateway, parts.GatewayFile, _relay, parts.Clock, new GatewayWatch(parts.Meter.Gateway, Overload.None)), "gateway");
        _poller = Context.ActorOf(PollerActor.Props(new PollerSetup(parts.Options.Discovery, parts.PollMethods, OpenPassword, parts.Clock), _relay), "poller");
        var installer = Context.ActorOf(InstallerActor.Props(new AgentInstaller(parts.Options.Installs), (purpose, secret) => parts.Credentials.OpenSecret(purpose, secret.Span), _relay), "installer");
        Context.ActorOf(WakeSender.Props(parts.Options.WakePort), "wake-sender");
        _link = Context.ActorOf(HqLink.Props(
            new HqLinkSetup(parts.Node, parts.Version, parts.LinkPort.Ways, parts.Options.Link, parts.Options.RebuildLinkAfter, parts.Options.HangUpAfter, parts.Clock, _headquartersClock),
            parts.LinkSystems, _relay), "link");

        Receive<GetGateway>(_ => Sender.Tell(_gateway));
        Receive<NodeDesired>(desired => Obey(DesiredFile.Whole(desired)));
        Receive<RunPoll>(wanted => _poller.Tell(wanted));
        Receive<CancelPoll>(wanted => _poller.Tell(wanted));
        Receive<InstallAgent>(installer.Tell);
        Receive<WakeDevice>(_parts.Wake);
        Receive<NodeRenewed>(Renew);
        Receive<LinkOpened>(opened => Link(up: true, $"epoch {opened.Epoch}, {opened.LinkedBy}"));
        Receive<LinkClosed>(closed => Link(up: false, closed.Reason));
        Receive<PortStands>(Take);
        Receive<MirrorStands>(stands =>
        {
            _mirror = stands.State;
            ReportIfChanged();
        });
        Receive<OutboxTrouble>(trouble =>
        {
            _outboxTrouble = trouble.Problem;
            ReportIfChanged();
        });
        Receive<LookAround>(_ =>
        {
            AskForRenewal();
            ReportIfChanged();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(OfficeParts parts) => Akka.Actor.Props.Create(() => new OfficeActor(parts));

    protected override void PreStart()
    {
        Note("started", $"office node {_parts.Node} {_parts.Version} started");
        Timers.StartPeriodicTimer(LookAround.Instance, LookAround.Instance, _parts.Options.LookAround);
        Apply();
    }

    private void Obey(NodeDesired desired)
    {
        // Also of the same version: that headquarters said it in this epoch is what a poller goes by.
        _poller.Tell(new PlanCame(desired.Roles.Contains(NodeRole.Poller) ? desired.Polls : null));
        if (DesiredFile.Same(desired, _desired))
            return;
        if (desired.Version != _desired.Version)
            _log.Info("Headquarters wants roles {Roles} (version {Version})", Names(desired.Roles), desired.Version);
        _desired = desired;
        _parts.LinkPort.Ways.Obey(desired);
        Stored(() => DesiredFile.Save(_parts.Data, desired));
        Apply();
    }

    private void Apply()
    {
        _link.Tell(new DialEvery(_desired.Periodic ? _desired.SyncInterval : null));
        foreach (var role in _parts.Ports.Roles)
            if (_desired.Roles.Contains(role) && !_roles.ContainsKey(role) && role == NodeRole.DistributionPoint)
            {
                var mirror = new OfficeMirrorSetup(
                    _parts.Node, _parts.Data.PathOf(DistributionFolder), _parts.Options.Distribution, _parts.Credentials, _parts.Network, _headquartersClock, _parts.Logging, _parts.Meter);
                _roles[role] = new PortRole(
                    Context.ActorOf(DistributionPointActor.Props(new DistributionPointSetup(mirror, _parts.Ports[role], _parts.Options.PortRetry, _relay))), new PortStands(null, null));
            }
            else if (_desired.Roles.Contains(role) && !_roles.ContainsKey(role))
            {
                var endpoint = role == NodeRole.Gateway ? _parts.Options.Gateway.Endpoint : _parts.Options.Push.Endpoint;
                var setup = new AgentListenerSetup(_gateway, endpoint, _parts.Options.Gateway, () => _parts.Credentials.Certificate, _parts.Credentials.Trust,
                    _parts.Clock, _parts.Logging, _parts.Network);
                _roles[role] = Hold(_parts.Ports[role], async () => await AgentListener.Start(setup) is var port ? (port, port.Local) : default);
            }
            else if (!_desired.Roles.Contains(role) && _roles.Remove(role, out var given))
            {
                Context.Stop(given.Actor);
                Note("role-stopped", NodeRoles.Name(role));
                _mirror = role == NodeRole.DistributionPoint ? null : _mirror;
            }

        if (_desired.Updates is { } plan && _roles.GetValueOrDefault(NodeRole.DistributionPoint) is { } point)
            point.Actor.Tell(new PlanChanged(plan));

        var links = _parts.Options.Links.Dmz || _desired.Carries.Count > 0;
        if (links && _linkPort is null)
        {
            _linkPort = Hold(_parts.Ports.Links, () => Task.FromResult<(IAsyncDisposable, IPEndPoint)>(LinkPort.Open(_parts.LinkPort) is var port ? (port, port.Local) : default));
        }
        else if (!links && _linkPort is { } held)
        {
            Context.Stop(held.Actor);
            _linkPort = null;
        }

        ReportIfChanged();
    }

    private PortRole Hold(RolePort port, Func<Task<(IAsyncDisposable Port, IPEndPoint At)>> open) =>
        new(Context.ActorOf(PortRoleActor.Props(port, open, _parts.Options.PortRetry)), new PortStands(null, null));

    private void Take(PortStands stands)
    {
        if (_linkPort is { } links && links.Actor.Equals(Sender))
        {
            Tell(links.Stands, stands, "port for links");
            _linkPort = links with { Stands = stands };
            ReportIfChanged();
            return;
        }

        // None: a role that was taken back meanwhile.
        if (_roles.FirstOrDefault(r => r.Value.Actor.Equals(Sender)) is not { Value: { } before, Key: var role })
            return;
        Tell(before.Stands, stands, NodeRoles.Name(role));
        _roles[role] = before with { Stands = stands };
        ReportIfChanged();
    }

    private void Tell(PortStands before, PortStands stands, string what)
    {
        if (stands.At is { } at)
        {
            _log.Info("The {Role}'s port is open at {Address}", what, at);
            Note("role-started", $"{what} at {at}");
        }
        else if (stands.Problem != before.Problem)
        {
            _log.Error("The {Role}'s port can't be opened, trying again: {Problem}", what, stands.Problem);
            Note("role-failed", $"{what}: {stands.Problem}");
        }
    }

    private void Link(bool up, string why)
    {
        if (up == _linked)
            return;
        _linked = up;
        _parts.Meter.Linked(up, why);
        // Dials that come and go by the clock are no history.
        if (!_desired.Periodic)
            Note(up ? "link-up" : "link-down", why);
        if (!up)
        {
            _poller.Tell(new LinkClosed(why));
            return;
        }

        _parts.Linked();
        if (_roles.GetValueOrDefault(NodeRole.DistributionPoint) is { } point)
            point.Actor.Tell(new CountAnew());
        AskForRenewal();
    }

    private void AskForRenewal() => Stored(() =>
    {
        if (_linked && _parts.Credentials.RequestWhenDue() is { } request)
            _relay.Tell(new SendUp([new NodeRenewal(request)]));
    });

    private void Renew(NodeRenewed renewed) => Stored(() =>
    {
        var before = _parts.Credentials.Certificate;
        if (_parts.Credentials.Renew(renewed.CertificateChain) is { } problem)
            _log.Warning("The renewed certificate was not taken: {Problem}", problem);
        else if (!ReferenceEquals(before, _parts.Credentials.Certificate))
            Note("certificate-renewed", $"valid until {_parts.Credentials.Certificate.NotAfter.ToUniversalTime():u}");
    });

    private void ReportIfChanged()
    {
        var report = Report();
        if (Same(report, _reported))
            return;
        _reported = report;
        _parts.Meter.Stores(_outboxTrouble ?? _storageTrouble);
        _relay.Tell(new ReportNode(report));
    }

    private NodeReport Report()
    {
        var unknown = _desired.Roles.Except(_parts.Ports.Roles).Where(r => r != NodeRole.Poller).Select(r => $"role {NodeRoles.Name(r)} is not in version {_parts.Version}: update this node");
        var lacks = _mirror is { Problem.Length: > 0 } mirror ? $"distribution point: {mirror.Problem}" : null;
        string?[] problems = [lacks, .. _roles.Values.Append(_linkPort).Select(r => r?.Stands.Problem), _outboxTrouble, _storageTrouble, .. unknown];
        var held = _roles.Where(r => r.Value.Stands.At is not null).Select(r => r.Key).Concat(_desired.Roles.Where(r => r == NodeRole.Poller));
        return new NodeReport(_desired.Version, [.. held.Order()],
            AddressesOf(_roles.GetValueOrDefault(NodeRole.Gateway), _parts.Options.GatewayAddresses), _parts.Version, Dns.GetHostName(), _startedAt, [.. problems.OfType<string>()],
            AddressesOf(_roles.GetValueOrDefault(NodeRole.PushServer), _parts.Options.PushAddresses), AddressesOf(_linkPort, _parts.Options.Links.Addresses),
            LinkedBy: "", ContentAddresses(), _mirror);
    }

    private IReadOnlyList<string> ContentAddresses() =>
        [.. AddressesOf(_roles.GetValueOrDefault(NodeRole.DistributionPoint), _parts.Options.Distribution.Addresses).Select(a => _parts.Options.Distribution.PlainContent ? $"http://{a}" : a)];

    private static IReadOnlyList<string> AddressesOf(PortRole? port, IReadOnlyList<string> named) =>
        port?.Stands.At is not { } open ? [] : [.. (named.Count > 0 ? named : LanAddresses.Of(open)).Take(NodeReport.MaxAddresses)];

    private void Stored(Action work)
    {
        try
        {
            work();
            _storageTrouble = null;
        }
        catch (StorageException fault)
        {
            // A passing fault: the next desired document, or the next look around, tries again.
            _log.Error("{Problem}", fault.Message);
            _storageTrouble = fault.Message;
        }
    }

    private string OpenPassword(ReadOnlyMemory<byte> secret) => Encoding.UTF8.GetString(_parts.Credentials.OpenSecret(Polls.DirectoryPassword, secret.Span));

    private void Note(string kind, string text) => _relay.Tell(new RecordEvent(kind, text));

    // Records do not compare their lists' contents.
    private static bool Same(NodeReport one, NodeReport other) =>
        one.AppliedVersion == other.AppliedVersion && one.Roles.SequenceEqual(other.Roles) && one.GatewayAddresses.SequenceEqual(other.GatewayAddresses)
        && one.PushAddresses.SequenceEqual(other.PushAddresses) && one.LinkAddresses.SequenceEqual(other.LinkAddresses)
        && one.ContentAddresses.SequenceEqual(other.ContentAddresses) && Equals(one.Mirror, other.Mirror)
        && one.Problems.SequenceEqual(other.Problems) && one.HostName == other.HostName;

    private static string Names(IReadOnlyList<NodeRole> roles) => roles.Count == 0 ? "none" : string.Join(", ", roles.Select(NodeRoles.Name));

    private sealed record PortRole(IActorRef Actor, PortStands Stands);

    /// <summary>OfficeNode → OfficeActor, by Ask. Answer: the GatewayActor's reference.</summary>
    internal sealed record GetGateway;

    private sealed record LookAround
    {
        public static readonly LookAround Instance = new();
    }
}
