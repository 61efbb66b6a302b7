namespace Fleet.Updates.Fetching;

/// <summary>How fast all downloads together may go: a token bucket whose rate may be changed while it is used. Thread-safe.</summary>
public sealed class Budget(TimeProvider clock)
{
    /// <summary>What may be saved up while nothing is downloaded.</summary>
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _rate = long.MaxValue;
    private double _debt;
    private DateTimeOffset _at = clock.GetUtcNow();

    /// <summary>Bytes a second; <see cref="long.MaxValue"/>: no limit.</summary>
    public long BytesPerSecond
    {
        get
        {
            lock (_lock)
                return _rate;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            lock (_lock)
            {
                Settle();
                _rate = value;
            }
        }
    }

    /// <summary>Waits until these bytes may have come. They are on the account of whoever comes next, so that large pieces need no large bucket.</summary>
    public async ValueTask Spend(int bytes, CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_lock)
        {
            if (_rate == long.MaxValue)
                return;
            Settle();
            _debt += bytes;
            wait = TimeSpan.FromSeconds(_debt / _rate);
        }

        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, clock, cancellation).ConfigureAwait(false);
    }

    private void Settle()
    {
        var now = clock.GetUtcNow();
        if (_rate != long.MaxValue)
            _debt = Math.Max(_debt - ((now - _at).TotalSeconds * _rate), -Burst.TotalSeconds * _rate);
        _at = now;
    }
}
