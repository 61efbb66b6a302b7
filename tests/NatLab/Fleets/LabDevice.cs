using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Push;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.NatLab.Fleets;

/// <summary>A device inside this process: the agent's own library on a made-up machine, its files in memory.</summary>
public sealed class LabDevice : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly DeviceRuntime _runtime;
    private readonly ISyncCarriers _carriers;
    private readonly Task _running;

    private LabDevice(DeviceMemory storage, MadeUpMachine machine, ISyncCarriers carriers, ByteDialler dial, DeviceOptions options)
    {
        (Machine, _carriers) = (machine, carriers);
        _runtime = new DeviceRuntime(storage, options, carriers, machine, TimeProvider.System, NullLogger.Instance, "0.1.0");
        _running = Task.WhenAll(
            Task.Run(() => _runtime.Run(_stop.Token)),
            Task.Run(() => new PushLine(_runtime, dial, options, TimeProvider.System, NullLogger.Instance).Run(_stop.Token)));
    }

    public MadeUpMachine Machine { get; }

    public DeviceId Id => _runtime.Identity.Device;

    public SyncState State => _runtime.State;

    /// <summary>Raised after each round, on the device's own thread.</summary>
    public event Action<RoundEnd> RoundEnded
    {
        add => _runtime.RoundEnded += value;
        remove => _runtime.RoundEnded -= value;
    }

    /// <summary>Joins with a token and runs.</summary>
    /// <param name="between">What lies between the device and its carriers; null: nothing.</param>
    /// <exception cref="LabException">It was refused, or nobody answered.</exception>
    public static async Task<LabDevice> Join(IByteNetwork network, Reach reach, string token, string name, DeviceOptions options, Func<ISyncCarriers, ISyncCarriers>? between = null)
    {
        if (!JoinToken.TryParse(token, out var join, out var problem))
            throw new LabException(problem);
        var machine = new MadeUpMachine(name);
        var storage = new DeviceMemory();
        var pending = PendingEnrolment.Begin(join, JoinKind.Agent, name, machine.Fingerprint, reach);
        if (await new EnrolmentClient(network.Connect, options, TimeProvider.System).Enrol(pending, CancellationToken.None).ConfigureAwait(false) is not EnrolmentOutcome.Accepted accepted)
            throw new LabException($"{name} could not enrol");
        DeviceEnrolment.Complete(storage, pending, accepted);
        var carriers = new GrpcCarriers(network.Connect, options, TimeProvider.System);
        return new LabDevice(storage, machine, between?.Invoke(carriers) ?? carriers, network.Connect, options);
    }

    /// <summary>Something happens to the device, that its history tells.</summary>
    public void Record(string text) => _runtime.Record(new Note("lab", text));

    public void SyncSoon() => _runtime.SyncSoon();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _carriers.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
