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
    /// <summary>Devices whose better push server may be tried again do not all do so at once.</summary>
    private static readonly TimeSpan LeastReturn = TimeSpan.FromSeconds(10);

    private readonly Random _random = random ?? Random.Shared;
    private readonly Backoff _backoff = new(options.FirstRetry);
    private readonly CarrierMemory _memory = new(options.ReturnAfter, clock, random ?? Random.Shared);
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
                var (end, named) = await Hold(plan, either.Token).ConfigureAwait(false);
                failures = end switch { LineHeld.Returns => 0, LineHeld.Lasted => 1, _ => failures + 1 };
                if (failures > 0)
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
        var longest = 2 * device.SyncInterval;
        return _backoff.AfterFailures(failures, options.LineRetry, _returnWithin < longest ? _returnWithin : longest, _random);
    }

    private IReadOnlyList<string> Plan() => LinePlan.Addresses(device.Identity.Device, device.State.Desired, device.GatewayOnly);

    /// <summary>Opens a line to the first that takes it, and returns when it ends: how it ended, and the wait that a push server named.</summary>
    private async Task<(LineHeld End, TimeSpan? Named)> Hold(IReadOnlyList<string> plan, CancellationToken cancellation)
    {
        TimeSpan? named = null;
        foreach (var address in _memory.Order([.. plan.Where(a => HostPort.Problem(a) is null)]))
        {
            // Away from a better one: until that may be tried again.
            using var away = new CancellationTokenSource(BetterIn(plan, address), clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(away.Token, cancellation);
            try
            {
                var began = clock.GetTimestamp();
                // A line that is dropped soon after it opened ends no backoff: its device may be one of two with this identity, which take turns.
                if (await Listen(address, either.Token).ConfigureAwait(false))
                    return (clock.GetElapsedTime(began) > options.LineRetry ? LineHeld.Lasted : LineHeld.Failed, null);
            }
            catch (CarrierException fault)
            {
                cancellation.ThrowIfCancellationRequested();
                LogNoLine(fault.Message);
                _memory.Fail(address);
                named ??= fault.RetryAfter;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return (LineHeld.Returns, null);
            }
        }

        return (LineHeld.Failed, named);
    }

    /// <summary>When a push server that comes before this one may be tried again; infinite: none comes before it.</summary>
    private TimeSpan BetterIn(IReadOnlyList<string> plan, string address)
    {
        var better = plan.TakeWhile(a => a != address).Select(_memory.Left).Where(left => left > TimeSpan.Zero).ToList();
        return better.Count == 0 ? Timeout.InfiniteTimeSpan : better.Min() + (LeastReturn * _random.NextDouble());
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
        }, options with { Keepalive = IsOfOffice(address) ? options.OfficeLineProbe : options.LineProbe });
        var request = new ListenRequest { DeviceId = identity.Device.Value, OfficeId = device.State.Desired?.OfficeId is { Length: > 0 } office ? office : identity.Office.Value };
        try
        {
            await connection.Stream((client, call) => client.Listen(request, call), item =>
            {
                if (!opened)
                    LogOpen(server?.Id ?? address);
                // What another server said before does not count here; a wake signal says nothing about it.
                if (!opened || item.ReturnWithin is not null)
                    _returnWithin = RetryAfter.Read(item.ReturnWithin) ?? TimeSpan.Zero;
                opened = true;
                if (!item.Wake.IsEmpty)
                    device.Wake(item.Wake.Span, item.Trace);
            }, cancellation).ConfigureAwait(false);
        }
        catch (CarrierException fault) when (opened)
        {
            LogLost(server?.Id ?? address, fault.Message, _returnWithin.TotalSeconds);
            _memory.Fail(address);
            if (server is { Kind: PeerKind.Node, Id: var node })
                device.NodeLost(node);
        }

        return opened;
    }

    private bool IsOfOffice(string address) => device.State.Desired?.PushServers.Any(s => s.Addresses.Contains(address)) == true;

    private enum LineHeld
    {
        /// <summary>No line opened, or it was dropped at once.</summary>
        Failed = 1,

        /// <summary>It broke, after a while.</summary>
        Lasted = 2,

        /// <summary>It was closed to open a better one.</summary>
        Returns = 3,
    }

    [LoggerMessage(LogLevel.Information, "a line to push server {Server} is open")]
    private partial void LogOpen(string server);

    [LoggerMessage(LogLevel.Warning, "the line to push server {Server} is lost: {Why} (it asked to come back within {Seconds} s)")]
    private partial void LogLost(string server, string why, double seconds);

    [LoggerMessage(LogLevel.Warning, "no line: {Why}")]
    private partial void LogNoLine(string why);
}
