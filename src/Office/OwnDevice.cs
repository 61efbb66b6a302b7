using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Gateway;
using Microsoft.Extensions.Logging;

namespace Fleet.Office;

/// <summary>The machine that the node runs on is a managed device too: the agent's code, with the gateway of the same process as its one carrier.</summary>
internal sealed partial class OwnDevice : ISyncChannel
{
    private static readonly TimeSpan RestartAfter = TimeSpan.FromMinutes(1);

    private readonly IActorRef _gateway;
    private readonly TimeSpan _timeout;
    private readonly Func<DeviceRuntime> _make;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly DeviceId _device;
    private DeviceRuntime _runtime;

    public OwnDevice(IDeviceStorage storage, IActorRef gateway, GatewayOptions options, IMachine machine, NodeId node, string version, TimeProvider clock, ILogger log)
    {
        (_gateway, _timeout, _clock, _log, Name) = (gateway, options.AnswerTimeout * 3, clock, log, node.Value);
        _make = () => new DeviceRuntime(storage, DeviceOptions.Default, new OneCarrier(this), machine, clock, log, version);
        _runtime = _make();
        _device = _runtime.Identity.Device;
    }

    public string Name { get; }

    /// <summary>Headquarters came in reach: what waited need not wait for its time.</summary>
    public void SyncSoon() => _runtime.SyncSoon();

    /// <summary>A wake signal came down; one of another device changes nothing.</summary>
    public void Wake(ReadOnlySpan<byte> signal) => _runtime.Wake(signal);

    /// <summary>Runs until cancelled.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await _runtime.Run(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception bug)
            {
                // The supervisor of a part that is no actor: a fault in it must not take down the node's roles.
                LogFailed(bug);
                await Task.Delay(Backoff.Periodic(RestartAfter, Random.Shared), _clock, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
                _runtime = _make();
            }
        }
    }

    public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
    {
        try
        {
            return await _gateway.Ask<SyncReply>(new SyncDevice(_device, request), _timeout, cancellation);
        }
        catch (AskTimeoutException)
        {
            throw new CarrierException("this node's gateway did not answer");
        }
    }

    [LoggerMessage(LogLevel.Error, "The part that manages this node's own machine failed; it starts again")]
    private partial void LogFailed(Exception bug);
}
