using System.Net;
using Akka.Actor;
using Fleet.Gateway.Service;

namespace Fleet.Office.Roles;

/// <summary>PortRoleActor → OfficeActor: how the role stands.</summary>
/// <param name="At">Where the port is open; null while it is not.</param>
/// <param name="Problem">Why it is not; null while it is.</param>
public sealed record PortStands(IPEndPoint? At, string? Problem);

/// <summary>
/// Holds a role that is a port for agents (gateway, push server): keeps it open, and tries again while it can't be. Child of the OfficeActor; made when the role is given,
/// stopped when it is taken, which closes the port.
/// </summary>
public sealed class PortRoleActor : ReceiveActor, IWithTimers
{
    private readonly AgentPort _port;
    private readonly AgentListenerSetup _setup;

    public PortRoleActor(AgentPort port, AgentListenerSetup setup, TimeSpan retry)
    {
        (_port, _setup) = (port, setup);

        Receive<OpenDue>(_ => Open());
        Receive<Opened>(opened => Context.Parent.Tell(new PortStands(opened.At, null)));
        Receive<OpeningFailed>(failed =>
        {
            Context.Parent.Tell(new PortStands(null, failed.Problem));
            Timers.StartSingleTimer(OpenDue.Instance, OpenDue.Instance, retry);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(AgentPort port, AgentListenerSetup setup, TimeSpan retry) =>
        Akka.Actor.Props.Create(() => new PortRoleActor(port, setup, retry));

    protected override void PreStart() => Open();

    protected override void PostStop() => _ = _port.Close();

    private void Open() => _port.Open(_setup).PipeTo(Self, success: at => new Opened(at), failure: fault => new OpeningFailed(fault.Message));

    private sealed record Opened(IPEndPoint At);

    private sealed record OpeningFailed(string Problem);

    private sealed record OpenDue
    {
        public static readonly OpenDue Instance = new();
    }
}
