using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Device.Updates;
using Fleet.Gateway;
using Microsoft.Extensions.Logging;

namespace Fleet.Office;

/// <summary>The machine that the node runs on is a managed device too: the agent's code, with the gateway of the same process as its one carrier.</summary>
internal sealed partial class OwnDevice : ISyncChannel
{
    private static readonly TimeSpan RestartAfter = TimeSpan.FromMinutes(1);

    private readonly IActorRef _gateway;
    private readonly TimeSpan _timeout;
    private readonly Func<Parts> _make;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly DeviceId _device;
    private Parts _parts;

    /// <param name="dial">The network of the distribution points and of headquarters.</param>
    public OwnDevice(DeviceDirectory storage, IActorRef gateway, GatewayOptions options, IMachine machine, ByteDialler dial, NodeId node, string version, TimeProvider clock, ILogger log)
    {
        (_gateway, _timeout, _clock, _log, Name) = (gateway, options.AnswerTimeout * 3, clock, log, node.Value);
        _make = () =>
        {
            var device = new DeviceRuntime(storage, DeviceOptions.Default, new OneCarrier(this), machine, clock, log, version);
            return new Parts(device, new DeviceUpdates(device, storage, storage.Path, dial, DeviceOptions.Default, clock, log));
        };
        _parts = _make();
        _device = _parts.Device.Identity.Device;
    }

    public string Name { get; }

    /// <summary>Headquarters came in reach: what waited need not wait for its time.</summary>
    public void SyncSoon() => _parts.Device.SyncSoon();

    /// <summary>A wake signal came down; one of another device changes nothing.</summary>
    public void Wake(ReadOnlySpan<byte> signal, string trace) => _parts.Device.Wake(signal, trace);

    /// <summary>Runs until cancelled.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var parts = _parts;
                using (parts.Updates)
                    await SideBySide.Run([parts.Device.Run, parts.Updates.Run], cancellation);
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
                _parts = _make();
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

    private sealed record Parts(DeviceRuntime Device, DeviceUpdates Updates);

    [LoggerMessage(LogLevel.Error, "The part that manages this node's own machine failed; it starts again")]
    private partial void LogFailed(Exception bug);
}
