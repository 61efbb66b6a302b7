namespace Fleet.Swarm.Offices;

/// <summary>
/// One clock for all offices: calls what is due ten times a second, on one thread. .NET's own timers go through all that are due soon whenever one is,
/// which ten thousand links, each with its pings and leases, would feel.
/// </summary>
internal sealed class Wheel : IAsyncDisposable
{
    private const int Slots = 4096;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly List<(long Due, Action Act)>[] _slots = [.. Enumerable.Range(0, Slots).Select(_ => new List<(long Due, Action Act)>())];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _turning;
    private long _now;

    public Wheel() => _turning = Task.Run(Turn);

    /// <summary>How far the wheel is behind: over a second, this process has more to do than it can, and what it measures is its own.</summary>
    public TimeSpan Behind { get; private set; }

    /// <summary>Calls <paramref name="act"/> once, in about <paramref name="after"/>. It must not block; whether it still matters is for it to say.</summary>
    public void In(TimeSpan after, Action act)
    {
        lock (_gate)
        {
            var due = _now + Math.Max(1, (long)(after / Tick));
            _slots[due % Slots].Add((due, act));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _turning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task Turn()
    {
        var began = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            var due = TimeProvider.System.GetElapsedTime(began);
            Behind = due - (_now * Tick);
            while (_now * Tick < due)
                Advance();
        }
    }

    private void Advance()
    {
        List<Action> acts;
        lock (_gate)
        {
            var (now, slot) = (++_now, _slots[_now % Slots]);
            acts = [.. slot.Where(s => s.Due <= now).Select(s => s.Act)];
            slot.RemoveAll(s => s.Due <= now);
        }

        foreach (var act in acts)
            act();
    }
}
