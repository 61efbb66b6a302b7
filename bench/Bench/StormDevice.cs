using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Push;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Gateway;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Microsoft.Extensions.Logging;

namespace Fleet.Bench;

/// <summary>
/// One of thousands of devices: the agent's own library with its files in memory. It speaks with the gateway of its office inside this process, so
/// that no connection has to be paid for between them, or, where its office has none, with headquarters over the simulated network.
/// </summary>
internal sealed class StormDevice : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly ISyncCarriers _carriers;
    private readonly MadeUpMachine _machine;
    private readonly DeviceRuntime _runtime;
    private readonly Task _running;

    private StormDevice(DeviceMemory files, MadeUpMachine machine, ISyncCarriers carriers, ByteDialler? direct, ILogger log)
    {
        (_machine, _carriers) = (machine, carriers);
        _runtime = new DeviceRuntime(files, DeviceOptions.Default, carriers, machine, TimeProvider.System, log, "0.1.0");
        var line = direct is null ? null : new PushLine(_runtime, direct, DeviceOptions.Default, TimeProvider.System, log);
        _running = Task.WhenAll(Task.Run(() => _runtime.Run(_stop.Token)), line is null ? Task.CompletedTask : Task.Run(() => line.Run(_stop.Token)));
    }

    /// <summary>Joins through the gateway and runs.</summary>
    /// <param name="direct">The network by which it speaks with headquarters itself; null: it speaks with the gateway.</param>
    /// <exception cref="LabException">It was refused.</exception>
    public static async Task<StormDevice> Join(string name, JoinToken token, IActorRef gateway, IByteNetwork? direct, string headquarters, ILogger log)
    {
        var (files, machine) = (new DeviceMemory(), new MadeUpMachine(name));
        var pending = PendingEnrolment.Begin(token, JoinKind.Agent, name, machine.Fingerprint, new Reach([], [headquarters], GatewayOnly: false));
        var reply = await Enrol(pending, gateway).ConfigureAwait(false);
        var identity = DeviceEnrolment.Complete(files, pending, new EnrolmentOutcome.Accepted(reply.Enrolled, "gateway"));
        return direct is null
            ? new StormDevice(files, machine, new OneCarrier(new InProcess(gateway, identity.Device)), null, log)
            : new StormDevice(files, machine, new GrpcCarriers(direct.Connect, DeviceOptions.Default, TimeProvider.System), direct.Connect, log);
    }

    // Like any newcomer: whoever is told to come again does.
    private static async Task<EnrolReply> Enrol(PendingEnrolment pending, IActorRef gateway)
    {
        while (true)
        {
            var reply = await gateway.Ask<EnrolReply>(new EnrolNewcomer(pending.ToRequest()), Patience).ConfigureAwait(false);
            if (reply.Enrolled is not null)
                return reply;
            if (reply.Refusal.RetryAfter is not { } wait)
                throw new LabException($"{pending.Name} could not enrol: {reply.Refusal.Detail}");
            await Task.Delay(wait.ToTimeSpan()).ConfigureAwait(false);
        }
    }

    /// <summary>Something about the machine is another: its next sync reports it.</summary>
    public void Change() => _machine.Change();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _carriers.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private sealed class InProcess(IActorRef gateway, DeviceId device) : ISyncChannel
    {
        public string Name => "gateway";

        public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
        {
            try
            {
                return await gateway.Ask<SyncReply>(new SyncDevice(device, request), Patience, cancellation).ConfigureAwait(false);
            }
            catch (AskTimeoutException)
            {
                throw new CarrierException("the gateway did not answer");
            }
        }
    }
}
