using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Gateway;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Office.Installs;

/// <summary>
/// Sets up agents on devices as headquarters asks, some at a time, and tells the relay how it goes. Child of the OfficeActor; lives as long as the node. One that runs
/// when the node stops is cut off; headquarters knows by the link.
/// </summary>
public sealed class InstallerActor : ReceiveActor
{
    private const int MostAtOnce = 8;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<InstallId> _running = [];

    /// <param name="open">Opens what headquarters sealed for the node.</param>
    public InstallerActor(AgentInstaller installer, Func<string, ReadOnlyMemory<byte>, byte[]> open, IActorRef relay)
    {
        Receive<InstallAgent>(order =>
        {
            if (_running.Count >= MostAtOnce)
            {
                relay.Tell(new SendUp([new InstallEnded(order.InstallId, InstallOutcome.Failed, $"this node sets up {MostAtOnce} agents at a time; try again in a minute", "")]));
                return;
            }

            if (!_running.Add(order.InstallId))
                return;
            _log.Info("Setting up the agent on {Address} ({InstallId})", order.Address, order.InstallId);
            var (self, stop) = (Self, _stop.Token);
            // A fault that nobody named is told by its kind alone: its own text may hold what it was given.
            Task.Run(() => Run(installer, open, order, relay, stop)).PipeTo(self,
                failure: fault => new InstallEnded(order.InstallId, InstallOutcome.Failed, $"setting up the agent failed with {fault.GetType().Name}", ""));
        });
        Receive<InstallEnded>(ended =>
        {
            _running.Remove(ended.InstallId);
            _log.Info("Setting up an agent ended ({InstallId}): {Outcome} {Detail}", ended.InstallId, ended.Outcome, ended.Detail);
            relay.Tell(new SendUp([ended]));
        });
    }

    public static Props Props(AgentInstaller installer, Func<string, ReadOnlyMemory<byte>, byte[]> open, IActorRef relay) =>
        Akka.Actor.Props.Create(() => new InstallerActor(installer, open, relay));

    protected override void PostStop()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private static async Task<InstallEnded> Run(AgentInstaller installer, Func<string, ReadOnlyMemory<byte>, byte[]> open, InstallAgent order, IActorRef relay, CancellationToken stop)
    {
        var hostKey = "";
        try
        {
            var secret = MessagePackSerializer.Deserialize<InstallSecret>(open(Messages.Link.Installs.Secret, order.Secret), Codec.Options, stop);
            await installer.Install(order, secret, step => relay.Tell(new SendUp([new InstallProgress(order.InstallId, step)])), key => hostKey = key, stop);
            return new InstallEnded(order.InstallId, InstallOutcome.Installed, "", hostKey);
        }
        catch (InstallException failed)
        {
            return new InstallEnded(order.InstallId, failed.Outcome, failed.Message, hostKey);
        }
        catch (EnvelopeException unreadable)
        {
            return new InstallEnded(order.InstallId, InstallOutcome.Failed, unreadable.Message, hostKey);
        }
    }
}
