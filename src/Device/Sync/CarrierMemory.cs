namespace Fleet.Device.Sync;

/// <summary>
/// Remembers which carriers failed, so that a device neither waits for a dead one at each turn nor goes to and fro with one that comes and goes: a
/// carrier that failed is tried last until its time is over, and that time doubles while it keeps failing. Not for several threads at once.
/// </summary>
/// <param name="returnAfter">Middle of the first such time; each is spread from half to one and a half of it, so that devices do not return together.</param>
public sealed class CarrierMemory(TimeSpan returnAfter, TimeProvider clock, Random random)
{
    /// <summary>The time does not grow past this many times the first.</summary>
    private const int LongestTimes = 8;

    private readonly Dictionary<string, Failed> _failed = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Those that may be tried, then those that failed, each in the order given: where all failed, it was hardly their fault.</summary>
    public IReadOnlyList<string> Order(IReadOnlyList<string> addresses)
    {
        foreach (var gone in _failed.Keys.Except(addresses, StringComparer.OrdinalIgnoreCase).ToList())
            _failed.Remove(gone);
        return [.. addresses.OrderBy(IsAvoided)];
    }

    /// <summary>Whether the carrier failed lately: it is a last resort.</summary>
    public bool IsAvoided(string address) => Left(address) > TimeSpan.Zero;

    /// <summary>How long it is to be avoided still.</summary>
    public TimeSpan Left(string address) =>
        _failed.TryGetValue(address, out var failed) && failed.For - clock.GetElapsedTime(failed.Since) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    public void Fail(string address)
    {
        // One failure seen twice counts once; one soon after the last time was over makes the next time longer.
        if (IsAvoided(address))
            return;
        var times = _failed.TryGetValue(address, out var before) && clock.GetElapsedTime(before.Since) < before.For * 2 ? Math.Min(before.Times * 2, LongestTimes) : 1;
        _failed[address] = new Failed(clock.GetTimestamp(), returnAfter * times * (0.5 + random.NextDouble()), times);
    }

    /// <param name="For">How long it is avoided.</param>
    /// <param name="Times">How many times the first time that is.</param>
    private sealed record Failed(long Since, TimeSpan For, int Times);
}
