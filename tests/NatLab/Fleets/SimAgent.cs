using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.NatLab.Simulation;
using Fleet.NatLab.Topologies;
using Microsoft.Extensions.Logging;

namespace Fleet.NatLab.Fleets;

/// <summary>An agent in this process, on a simulated machine: does what <c>agent enroll</c> and <c>agent run</c> do, its files in memory. Outlives its runs.</summary>
internal sealed class SimAgent(TopologyDevice device, SimHost machine, Reach reach, TimeProvider clock, ILoggerFactory logging) : IAsyncDisposable
{
    private readonly DeviceMemory _files = new();
    private readonly MadeUpMachine _facts = new(device.Name);
    private Run? _run;
    private int _answers;

    /// <summary>Syncs that some carrier answered, over all runs.</summary>
    public int Answers => Volatile.Read(ref _answers);

    /// <summary>Runs, and is enrolled.</summary>
    public bool Syncs => _run is not null && IdentityFiles.Load(_files) is not null;

    /// <summary>Returns why it is not enrolled, or null.</summary>
    public async Task<string?> Enrol(string token)
    {
        if (!JoinToken.TryParse(token, out var join, out var problem))
            throw new LabException(problem);
        var pending = PendingEnrolment.Begin(join, JoinKind.Agent, device.Name, _facts.Fingerprint, reach);
        pending.Save(_files);
        switch (await new EnrolmentClient(machine.Connect, DeviceOptions.Default, clock).Enrol(pending, CancellationToken.None).ConfigureAwait(false))
        {
            case EnrolmentOutcome.Accepted accepted:
                DeviceEnrolment.Complete(_files, pending, accepted);
                return null;
            case EnrolmentOutcome.Refused refused:
                PendingEnrolment.Forget(_files);
                return refused.Detail;
            case EnrolmentOutcome.Unreachable unreachable:
                return $"headquarters is out of reach: {unreachable.Detail}";
            case var other:
                throw new NotSupportedException($"{other.GetType().Name} has no rule");
        }
    }

    /// <summary>A new run on the same files: completes an enrolment that is under way first.</summary>
    public void Start()
    {
        var process = new SimProcess(machine);
        var stop = new CancellationTokenSource();
        _run = new Run(process, stop, Task.Run(() => Live(process, stop.Token)));
    }

    /// <summary>kill -9: the network hears no goodbye; what was on "disk" stays.</summary>
    public async Task Kill()
    {
        if (_run is not { } run)
            return;
        _run = null;
        run.Process.Kill();
        await run.Stop.CancelAsync().ConfigureAwait(false);
        await run.Living.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        run.Stop.Dispose();
    }

    public DeviceSelf? Self()
    {
        if (IdentityFiles.Load(_files) is not { } identity)
            return null;
        var state = SyncState.Load(_files);
        return new DeviceSelf(identity.Device.Value, state.DesiredVersion, state.ReportedVersion, state.AcknowledgedVersion, state.ReachedThrough);
    }

    public void ChangeMachine() => _facts.Change();

    public async ValueTask DisposeAsync() => await Kill().ConfigureAwait(false);

    private async Task Live(SimProcess process, CancellationToken stop)
    {
        if (IdentityFiles.Load(_files) is null && !await Complete(process, stop).ConfigureAwait(false))
            return;
        await using var carriers = new GrpcCarriers(process.Connect, DeviceOptions.Default, clock);
        var runtime = new DeviceRuntime(_files, DeviceOptions.Default, carriers, _facts, clock, logging.CreateLogger<DeviceRuntime>(), "0.1.0");
        runtime.RoundEnded += end => Interlocked.Add(ref _answers, end == RoundEnd.Failed ? 0 : 1);
        await runtime.Run(stop).ConfigureAwait(false);
    }

    private async Task<bool> Complete(SimProcess process, CancellationToken stop)
    {
        var pending = PendingEnrolment.Load(_files) ?? throw new LabException($"{device.Name} was started before it was told to enrol");
        if (await new EnrolmentClient(process.Connect, DeviceOptions.Default, clock).EnrolUntilAnswered(pending, (_, _) => { }, stop).ConfigureAwait(false) is not EnrolmentOutcome.Accepted accepted)
            return false;
        DeviceEnrolment.Complete(_files, pending, accepted);
        return true;
    }

    private sealed record Run(SimProcess Process, CancellationTokenSource Stop, Task Living);
}
