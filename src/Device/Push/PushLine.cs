using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Microsoft.Extensions.Logging;

namespace Fleet.Device.Push;

/// <summary>
/// Keeps the line of an always-connected device open: to the best push server that takes it, to the next when it breaks. What comes over it goes to
/// <see cref="DeviceRuntime.Wake"/>, which alone judges it. Runs beside the device's rounds and shares nothing with them but that.
/// </summary>
public sealed partial class PushLine(DeviceRuntime device, ByteDialler dial, DeviceOptions options, TimeProvider clock, ILogger log, Random? random = null)
{
    private readonly Random _random = random ?? Random.Shared;
    private readonly Backoff _backoff = new(options.FirstRetry);
    // Named by the push server that held the line last.
    private TimeSpan _returnWithin;

    /// <summary>Runs until cancelled.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        var failures = 0;
        while (!cancellation.IsCancellationRequested)
        {
            using var changed = new CancellationTokenSource();
            using var either = CancellationTokenSource.CreateLinkedTokenSource(changed.Token, cancellation);
            var plan = Plan();
            void Look()
            {
                if (!Plan().SequenceEqual(plan))
                    changed.Cancel();
            }

            device.Changed += Look;
            try
            {
                // Between the plan and the subscription the document may have changed.
                Look();
                var (lasted, named) = await Hold(plan, either.Token).ConfigureAwait(false);
                failures = lasted ? 1 : failures + 1;
                await Task.Delay(plan.Count == 0 ? Timeout.InfiniteTimeSpan : named ?? Wait(failures), clock, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                failures = 0;
            }
            finally
            {
                device.Changed -= Look;
            }
        }
    }

    // The first loss is spread too: a thousand lines break at once when their push server does.
    private TimeSpan Wait(int failures)
    {
        var longest = device.SyncInterval;
        return _backoff.AfterFailures(failures, options.LineRetry, _returnWithin < longest ? _returnWithin : longest, _random);
    }

    private IReadOnlyList<string> Plan() => LinePlan.Addresses(device.Identity.Device, device.State.Desired, device.GatewayOnly);

    /// <summary>Opens a line to the first that takes it, and returns when it ends. Whether there was one that lasted, and the wait that a push server named.</summary>
    private async Task<(bool Lasted, TimeSpan? Named)> Hold(IReadOnlyList<string> addresses, CancellationToken cancellation)
    {
        TimeSpan? named = null;
        foreach (var address in addresses.Where(a => HostPort.Problem(a) is null))
        {
            try
            {
                var began = clock.GetTimestamp();
                // A line that is dropped soon after it opened ends no backoff: its device may be one of two with this identity, which take turns.
                if (await Listen(address, cancellation).ConfigureAwait(false))
                    return (clock.GetElapsedTime(began) > options.LineRetry, null);
            }
            catch (CarrierException fault)
            {
                cancellation.ThrowIfCancellationRequested();
                LogNoLine(fault.Message);
                named ??= fault.RetryAfter;
            }
        }

        return (false, named);
    }

    private async Task<bool> Listen(string address, CancellationToken cancellation)
    {
        var identity = device.Identity;
        var trust = identity.Trust(clock);
        PeerIdentity? server = null;
        var opened = false;
        using var connection = new GrpcConnection(address, dial, identity.Current.ForTls(), (leaf, _) =>
        {
            server = trust.Check(leaf, out var problem);
            return server is null ? problem : server.Kind == PeerKind.Device ? $"{server} answers there, which is no push server" : null;
        }, options with { Keepalive = options.LineProbe });
        var request = new ListenRequest { DeviceId = identity.Device.Value, OfficeId = device.State.Desired?.OfficeId is { Length: > 0 } office ? office : identity.Office.Value };
        try
        {
            await connection.Stream((client, call) => client.Listen(request, call), item =>
            {
                if (!opened)
                    LogOpen(server?.Id ?? address);
                opened = true;
                _returnWithin = item.ReturnWithin?.ToTimeSpan() ?? _returnWithin;
                if (!item.Wake.IsEmpty)
                    device.Wake(item.Wake.Span);
            }, cancellation).ConfigureAwait(false);
        }
        catch (CarrierException fault) when (opened)
        {
            LogLost(server?.Id ?? address, fault.Message, _returnWithin.TotalSeconds);
        }

        return opened;
    }

    [LoggerMessage(LogLevel.Information, "a line to push server {Server} is open")]
    private partial void LogOpen(string server);

    [LoggerMessage(LogLevel.Warning, "the line to push server {Server} is lost: {Why} (it asked to come back within {Seconds} s)")]
    private partial void LogLost(string server, string why, double seconds);

    [LoggerMessage(LogLevel.Warning, "no line: {Why}")]
    private partial void LogNoLine(string why);
}
