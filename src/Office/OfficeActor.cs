using System.Net;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Gateway;
using Fleet.Gateway.Service;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;
using Fleet.Office.Link;
using Fleet.Office.Outbox;
using Fleet.Office.Roles;
using Microsoft.Extensions.Logging;

namespace Fleet.Office;

/// <summary>What an <see cref="OfficeActor"/> is made of; the files and ports stay its maker's to close.</summary>
/// <param name="Network">Null: the machine's own sockets.</param>
/// <param name="Linked">Called when the link has come up.</param>
public sealed record OfficeParts(
    NodeId Node,
    string Version,
    OfficeOptions Options,
    DataDirectory Data,
    NodeCredentials Credentials,
    OutboxFile Outbox,
    GatewayFile GatewayFile,
    AgentPort AgentPort,
    LinkSystemFactory LinkSystems,
    int LinkAddresses,
    IByteNetwork? Network,
    TimeProvider Clock,
    ILoggerFactory Logging,
    Action Linked);

/// <summary>
/// Runs the node: starts and stops roles as headquarters' desired document for it says, reports what it is, renews its certificate. Parent of
/// HqLink, Relay, gateway and roles; lives as long as the node.
/// </summary>
public sealed class OfficeActor : ReceiveActor, IWithTimers
{
    private readonly OfficeParts _parts;
    private readonly DateTimeOffset _startedAt;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _relay;
    private readonly IActorRef _gateway;
    private NodeDesired _desired;
    private IActorRef? _gatewayRole;
    private GatewayStands _gatewayStands = new(null, null);
    private string? _outboxTrouble;
    private string? _storageTrouble;
    private NodeReport _reported;
    private bool _linked;

    public OfficeActor(OfficeParts parts)
    {
        (_parts, _startedAt) = (parts, parts.Clock.GetUtcNow());
        _desired = DesiredFile.Load(parts.Data) ?? new NodeDesired(0, [], TimeSpan.Zero);
        _reported = Report();
        _relay = Context.ActorOf(Relay.Props(parts.Options.Relay, parts.Outbox, _reported, parts.Clock), "relay");
        _gateway = Context.ActorOf(GatewayActor.Props(parts.Options.Gateway, parts.GatewayFile, _relay, parts.Clock), "gateway");
        Context.ActorOf(HqLink.Props(
            new HqLinkSetup(parts.Node, parts.Version, parts.LinkAddresses, parts.Options.Link, parts.Options.RebuildLinkAfter, parts.Clock),
            parts.LinkSystems, _relay), "link");

        Receive<GetGateway>(_ => Sender.Tell(_gateway));
        Receive<NodeDesired>(Obey);
        Receive<NodeRenewed>(Renew);
        Receive<LinkOpened>(opened => Link(up: true, $"epoch {opened.Epoch}"));
        Receive<LinkClosed>(closed => Link(up: false, closed.Reason));
        Receive<GatewayStands>(stands => Sender.Equals(_gatewayRole), Take);
        Receive<GatewayStands>(_ => { });
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
        if (desired.Version == _desired.Version)
            return;
        _log.Info("Headquarters wants roles {Roles} (version {Version})", Names(desired.Roles), desired.Version);
        _desired = desired;
        Stored(() => DesiredFile.Save(_parts.Data, desired));
        Apply();
    }

    private void Apply()
    {
        var wanted = _desired.Roles.Contains(NodeRole.Gateway);
        if (wanted && _gatewayRole is null)
        {
            var setup = new AgentListenerSetup(_gateway, _parts.Options.Gateway, () => _parts.Credentials.Certificate, _parts.Credentials.Trust, _parts.Clock,
                _parts.Logging, _parts.Network);
            _gatewayRole = Context.ActorOf(GatewayRoleActor.Props(_parts.AgentPort, setup, _parts.Options.GatewayRetry));
        }
        else if (!wanted && _gatewayRole is not null)
        {
            Context.Stop(_gatewayRole);
            _gatewayRole = null;
            _gatewayStands = new GatewayStands(null, null);
            Note("role-stopped", NodeRoles.Name(NodeRole.Gateway));
        }

        ReportIfChanged();
    }

    private void Take(GatewayStands stands)
    {
        if (stands.At is { } at)
        {
            _log.Info("Gateway for agents is open at {Address}", at);
            Note("role-started", $"{NodeRoles.Name(NodeRole.Gateway)} at {at}");
        }
        else if (stands.Problem != _gatewayStands.Problem)
        {
            _log.Error("The gateway's port can't be opened, trying again: {Problem}", stands.Problem);
            Note("role-failed", $"{NodeRoles.Name(NodeRole.Gateway)}: {stands.Problem}");
        }

        _gatewayStands = stands;
        ReportIfChanged();
    }

    private void Link(bool up, string why)
    {
        if (up == _linked)
            return;
        _linked = up;
        Note(up ? "link-up" : "link-down", why);
        if (!up)
            return;
        _parts.Linked();
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
        _relay.Tell(new ReportNode(report));
    }

    private NodeReport Report()
    {
        var active = _gatewayStands.At is null ? Array.Empty<NodeRole>() : [NodeRole.Gateway];
        var unknown = _desired.Roles.Where(r => r != NodeRole.Gateway).Select(r => $"role {NodeRoles.Name(r)} is not in version {_parts.Version}: update this node");
        string?[] problems = [_gatewayStands.Problem, _outboxTrouble, _storageTrouble, .. unknown];
        return new NodeReport(_desired.Version, active, AgentAddresses(_gatewayStands.At), _parts.Version, Dns.GetHostName(), _startedAt,
            [.. problems.OfType<string>()]);
    }

    private IReadOnlyList<string> AgentAddresses(IPEndPoint? open) =>
        open is null ? [] : _parts.Options.GatewayAddresses is { Count: > 0 } named ? named : GatewayAddresses.Of(open);

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

    private void Note(string kind, string text) => _relay.Tell(new RecordEvent(kind, text));

    // Records do not compare their lists' contents.
    private static bool Same(NodeReport one, NodeReport other) =>
        one.AppliedVersion == other.AppliedVersion && one.Roles.SequenceEqual(other.Roles) && one.GatewayAddresses.SequenceEqual(other.GatewayAddresses)
        && one.Problems.SequenceEqual(other.Problems) && one.HostName == other.HostName;

    private static string Names(IReadOnlyList<NodeRole> roles) => roles.Count == 0 ? "none" : string.Join(", ", roles.Select(NodeRoles.Name));

    /// <summary>OfficeNode → OfficeActor, by Ask. Answer: the GatewayActor's reference.</summary>
    internal sealed record GetGateway;

    private sealed record LookAround
    {
        public static readonly LookAround Instance = new();
    }
}
