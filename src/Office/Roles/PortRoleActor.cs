using System.Net;
using Akka.Actor;

namespace Fleet.Office.Roles;

/// <summary>PortRoleActor → OfficeActor: how the role stands.</summary>
/// <param name="At">Where the port is open; null while it is not.</param>
/// <param name="Problem">Why it is not; null while it is.</param>
public sealed record PortStands(IPEndPoint? At, string? Problem);

/// <summary>
/// Holds a role that is a port (gateway, push server; the port for links): keeps it open, and tries again while it can't be. Child of the OfficeActor;
/// made when the role is given, stopped when it is taken, which closes the port.
/// </summary>
public sealed class PortRoleActor : ReceiveActor, IWithTimers
{
    private readonly RolePort _port;
    private readonly Func<Task<(IAsyncDisposable Port, IPEndPoint At)>> _open;

    public PortRoleActor(RolePort port, Func<Task<(IAsyncDisposable Port, IPEndPoint At)>> open, TimeSpan retry)
    {
        (_port, _open) = (port, open);

        Receive<OpenDue>(_ => Open());
        Receive<Opened>(opened => Context.Parent.Tell(new PortStands(opened.At, null)));
        Receive<OpeningFailed>(failed =>
        {
            Context.Parent.Tell(new PortStands(null, failed.Problem));
            Timers.StartSingleTimer(OpenDue.Instance, OpenDue.Instance, retry);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="open">Opens the port, and says where it listens.</param>
    public static Props Props(RolePort port, Func<Task<(IAsyncDisposable Port, IPEndPoint At)>> open, TimeSpan retry) =>
        Akka.Actor.Props.Create(() => new PortRoleActor(port, open, retry));

    protected override void PreStart() => Open();

    protected override void PostStop() => _ = _port.Close();

    private void Open() => _port.Open(_open).PipeTo(Self, success: at => new Opened(at), failure: fault => new OpeningFailed(fault.Message));

    private sealed record Opened(IPEndPoint At);

    private sealed record OpeningFailed(string Problem);

    private sealed record OpenDue
    {
        public static readonly OpenDue Instance = new();
    }
}
