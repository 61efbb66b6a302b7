using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Fleets;

/// <summary>
/// Gives numbered orders for some devices, one after another for each, and keeps account of what headquarters acknowledged: afterwards each acknowledged order
/// must be in the device's history once, in order. An order that was not acknowledged may be there or not, and is given again under the next number.
/// (The account that Azure IoT Edge's tests keep of its messages.)
/// </summary>
public sealed class OrderBook : IAsyncDisposable
{
    /// <summary>The label that carries an order's number.</summary>
    public const string Label = "order";

    /// <summary>
    /// An order that is lost with a node would be waited for until headquarters gives it up (fleet.web.ask-timeout), and whether orders are decided again would not be
    /// seen before. Long enough for a machine that is busy.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _enough = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ApiOperator _api;
    private readonly ConcurrentDictionary<string, List<(int Number, TimeSpan At)>> _acknowledged = new();
    private readonly Task _giving;
    private int _answered;
    private long _unanswered;

    private OrderBook(ApiOperator api, IReadOnlyList<string> devices)
    {
        _api = api;
        _giving = Task.WhenAll(devices.Select(Give));
    }

    /// <summary>Orders that headquarters acknowledged.</summary>
    public int Acknowledged => Volatile.Read(ref _answered);

    /// <summary>Orders that headquarters refused or did not answer.</summary>
    public long Unanswered => Interlocked.Read(ref _unanswered);

    /// <summary>The newest that was acknowledged for each device.</summary>
    public IReadOnlyDictionary<string, int> Newest => _acknowledged.ToDictionary(d => d.Key, d => Of(d.Value)[^1].Number);

    /// <summary>Begins to give orders.</summary>
    public static OrderBook Begin(ApiOperator api, IReadOnlyList<string> devices) => new(api, devices);

    /// <summary>The longest time in which no order for one and the same device was acknowledged: the devices are of different offices, whose twins are on different nodes.</summary>
    public TimeSpan LongestPause(TimeSpan since) => _acknowledged.Values.Max(orders =>
    {
        TimeSpan[] answers = [since, .. Of(orders).Select(o => o.At).Where(at => at >= since), _clock.Elapsed];
        return answers.Zip(answers.Skip(1), (one, next) => next - one).Max();
    });

    /// <summary>Now, for <see cref="LongestPause"/>.</summary>
    public TimeSpan Now => _clock.Elapsed;

    /// <summary>Waits until so many more orders are acknowledged for each device.</summary>
    public Task More(int orders, string what, TimeSpan within)
    {
        var before = _acknowledged.ToDictionary(d => d.Key, d => Of(d.Value).Count);
        return TestSupport.Until.True(() => _acknowledged.All(d => Of(d.Value).Count >= before.GetValueOrDefault(d.Key) + orders), what, within);
    }

    /// <summary>Gives no more orders, and holds what was acknowledged against what headquarters shows.</summary>
    public async Task<OrderAccount> Close(IFleetUnderTest fleet, TimeSpan within)
    {
        await _enough.CancelAsync().ConfigureAwait(false);
        await _giving.ConfigureAwait(false);
        var account = new OrderAccount(0, 0, 0, 0);
        await TestSupport.Until.True(async () =>
        {
            try
            {
                account = await Account(fleet).ConfigureAwait(false);
                return account.Lost == 0;
            }
            catch (IOException)
            {
                return false;
            }
        }, "every acknowledged order is shown", within).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
        return account;
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync().ConfigureAwait(false);
        await _giving.ConfigureAwait(false);
        _enough.Dispose();
    }

    private async Task<OrderAccount> Account(IFleetUnderTest fleet)
    {
        var (acknowledged, lost, doubled, disordered) = (0, 0, 0, 0);
        foreach (var (device, orders) in _acknowledged)
        {
            List<int> given = [.. Of(orders).Select(o => o.Number)];
            var shown = await fleet.Shown.Labelled(device, Label).ConfigureAwait(false);
            acknowledged += given.Count;
            lost += given.Except(shown).Count();
            doubled += shown.Count - shown.Distinct().Count();
            disordered += shown.Zip(shown.Skip(1), (one, next) => next < one ? 1 : 0).Sum();
        }

        return new OrderAccount(acknowledged, lost, doubled, disordered);
    }

    private static List<(int Number, TimeSpan At)> Of(List<(int Number, TimeSpan At)> orders)
    {
        lock (orders)
            return [.. orders];
    }

    private async Task Give(string device)
    {
        var mine = _acknowledged.GetOrAdd(device, _ => []);
        for (var number = 1; !_enough.IsCancellationRequested; number++)
        {
            try
            {
                await _api.Label(device, Label, number.ToString(CultureInfo.InvariantCulture), Patience).ConfigureAwait(false);
                lock (mine)
                    mine.Add((number, _clock.Elapsed));
                Interlocked.Increment(ref _answered);
            }
            catch (LabException)
            {
                // Not acknowledged: nobody's loss.
                Interlocked.Increment(ref _unanswered);
            }
        }
    }
}

/// <param name="Lost">Acknowledged orders that are not in their device's history.</param>
/// <param name="Doubled">Orders that are in it more than once.</param>
/// <param name="Disordered">Orders that stand behind a later one.</param>
public sealed record OrderAccount(int Acknowledged, int Lost, int Doubled, int Disordered)
{
    /// <summary>A journey's assertion.</summary>
    public void RequireWhole() => Require(this is { Acknowledged: > 0, Lost: 0, Doubled: 0, Disordered: 0 }, $"the account does not come out: {this}");
}
