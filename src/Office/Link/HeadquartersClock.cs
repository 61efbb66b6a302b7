namespace Fleet.Office.Link;

/// <summary>
/// What headquarters' clock shows, as each pong tells it, where this machine's own is off: signed lists say by headquarters' time until when they hold. Until the
/// first word of it, and where the two hardly differ, it shows this machine's. Timers and timestamps are the machine's own. For several threads.
/// </summary>
public sealed class HeadquartersClock(TimeProvider own) : TimeProvider
{
    /// <summary>Less is the network's delay.</summary>
    private static readonly TimeSpan Small = TimeSpan.FromMinutes(1);

    private long _behind;

    public override TimeZoneInfo LocalTimeZone => own.LocalTimeZone;

    public override long TimestampFrequency => own.TimestampFrequency;

    /// <summary>Headquarters' time just now.</summary>
    public void Told(DateTimeOffset time)
    {
        var behind = time - own.GetUtcNow();
        Volatile.Write(ref _behind, behind.Duration() < Small ? 0 : behind.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => own.GetUtcNow() + new TimeSpan(Volatile.Read(ref _behind));

    public override long GetTimestamp() => own.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => own.CreateTimer(callback, state, dueTime, period);
}
